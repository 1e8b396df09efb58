package postern

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// checkContract returns an error if a service, by its `system.info`, has an older contract than this client.
func checkContract(info json.RawMessage) error {
	var stated map[string]json.RawMessage
	if json.Unmarshal(info, &stated) != nil || stated == nil {
		return nil
	}
	var version string
	has := "no version"
	if json.Unmarshal(stated["contract"], &version) == nil {
		has = "version " + version
		if !isOlder(version, ContractVersion) {
			return nil
		}
	}
	reason := "the contract of this Postern has %s; this client needs %s or later"
	return &ProtocolError{Reason: fmt.Sprintf(reason, has, ContractVersion)}
}

// isOlder compares versions such as 1.10.0. A part that is not a number is 0.
func isOlder(version, other string) bool {
	left, right := strings.Split(version, "."), strings.Split(other, ".")
	for index, part := range right {
		wanted, _ := strconv.Atoi(part)
		number := 0
		if index < len(left) {
			number, _ = strconv.Atoi(left[index])
		}
		if number != wanted {
			return number < wanted
		}
	}
	return false
}
