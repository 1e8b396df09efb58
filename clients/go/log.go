package postern

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// LogLevel is the severity of a message of the program's log.
type LogLevel string

// The values of [LogLevel]. A newer program may have more.
const (
	LogError   LogLevel = "error"
	LogWarning LogLevel = "warning"
	LogInfo    LogLevel = "info"
)

// logFormat is a line of the program's log; the message is a JSON string.
var logFormat = regexp.MustCompile(`^time=\S+ level=(\w+) message=(".*")$`)

// lineLog is a function that passes each line of stderr on, and never panics.
func lineLog(log func(level LogLevel, message string)) func(line string) {
	if log == nil {
		return writeToHost
	}
	return func(line string) {
		defer func() {
			if fault := recover(); fault != nil {
				writeToHost(line)
				writeToHost(fmt.Sprintf("postern: Options.Log has panicked: %v", fault))
			}
		}()
		log(readLogLine(line))
	}
}

// readLogLine reads the level and the message of a line. Any other line is one with which the program ends: a usage
// error or a crash.
func readLogLine(line string) (LogLevel, string) {
	var message string
	parts := logFormat.FindStringSubmatch(line)
	if parts == nil || json.Unmarshal([]byte(parts[2]), &message) != nil {
		return LogError, line
	}
	return LogLevel(parts[1]), message
}
