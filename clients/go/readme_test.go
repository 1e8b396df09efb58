package postern_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const session = `registered Luke Sorenson
wrong_password: Password is incorrect for this account.
signed in as operator 1
created Mary Major
1 client, next provision 2
`

// The session runs in its own module, set up as in the README.
func TestTheSessionOfTheREADMERuns(t *testing.T) {
	blocks := readmeBlocks(t)
	folder := t.TempDir()
	sources, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(sources, filepath.Join(folder, "postern")); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "program")
	if err := os.Mkdir(program, 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"go.mod": "module program\n\ngo 1.19\n\n" + blocks[0], "main.go": blocks[1]}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(program, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if blocks[2] != session {
		t.Errorf("the README says it prints %s", blocks[2])
	}
	if output := run(t, program, "run", "."); output != session {
		t.Errorf("it prints %s", output)
	}
}

// The tests run the examples.
func TestTheOtherBlocksOfTheREADMEAreInTheExamples(t *testing.T) {
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	parts := readmeBlocks(t)[3:]
	for _, part := range parts {
		if !strings.Contains(string(examples), part) {
			t.Errorf("no example has\n%s", part)
		}
	}
	if len(parts) != 6 {
		t.Errorf("%d parts", len(parts))
	}
}

func TestTheExampleRuns(t *testing.T) {
	if output := run(t, ".", "run", "./example", filepath.Join(t.TempDir(), "accounts")); output != session {
		t.Errorf("it prints %s", output)
	}
}

// readmeBlocks returns the code blocks of the README.
func readmeBlocks(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$").FindAllStringSubmatch(string(readme), -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

func run(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(limited(t), "go", arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}
