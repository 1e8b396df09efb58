package postern

import (
	"os"
	"path/filepath"
	"strings"
)

// findBinary returns the absolute path of the binary: the one of that name, or else the one that POSTERN_BIN names, or
// else `postern` on PATH, or else the one beside the host's executable.
func findBinary(name string) (string, error) {
	if name == "" {
		name = os.Getenv("POSTERN_BIN")
	}
	isNamed := name != ""
	if !isNamed {
		name = "postern"
	}
	places := []string{name}
	if !strings.ContainsRune(name, filepath.Separator) {
		places = nil
		for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
			// A relative folder is skipped: the result would depend on the working directory.
			if filepath.IsAbs(folder) {
				places = append(places, filepath.Join(folder, name))
			}
		}
	}
	if executable, err := os.Executable(); err == nil && !isNamed {
		places = append(places, filepath.Join(filepath.Dir(executable), name))
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return filepath.Abs(place)
		}
	}
	return "", &BinaryNotFound{Name: name, Places: places}
}
