package postern

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// checkContract returns an error unless client and service fit, by its `system.info`: the service has at least the
// contract of this client, and the same major version, because a new one may have changed what this client uses.
func checkContract(info json.RawMessage) error {
	var stated map[string]json.RawMessage
	if json.Unmarshal(info, &stated) != nil || stated == nil {
		return nil
	}
	var version string
	has := "no version"
	if json.Unmarshal(stated["contract"], &version) == nil {
		has = "version " + version
		if !isOlder(version, ContractVersion) && majorOf(version) == majorOf(ContractVersion) {
			return nil
		}
	}
	reason := "the contract of this Postern has %s; this client needs %s or a later %s.x"
	return &ProtocolError{Reason: fmt.Sprintf(reason, has, ContractVersion, majorOf(ContractVersion))}
}

// checkSupervised also returns an error if the process stores nothing on disk. Flags and variables say so in many ways,
// and only the service knows which of them counts.
func checkSupervised(info json.RawMessage) error {
	if err := checkContract(info); err != nil {
		return err
	}
	var stated struct {
		Store struct{ Kind ServiceStoreKind }
	}
	if json.Unmarshal(info, &stated) == nil && stated.Store.Kind == ServiceStoreKindMemory {
		return ErrInMemory
	}
	return nil
}

func majorOf(version string) string {
	major, _, _ := strings.Cut(version, ".")
	return major
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
