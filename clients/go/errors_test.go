package postern_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

func TestAnErrorMatchesItsTypeCallErrorAndSlug(t *testing.T) {
	client := open(t, postern.Options{Arguments: []string{"--no-email-confirmation"}})
	register(t, client)
	_, err := client.Operators.Signin(limited(t), postern.OperatorsSigninParams{
		Email:    "lasoren+0@bu.edu",
		Password: "a wrong password",
	})
	var wrong *postern.OperatorsWrongPassword
	var failure *postern.CallError
	var base postern.Error
	if !errors.As(err, &wrong) || !errors.As(err, &failure) || !errors.As(err, &base) {
		t.Fatalf("got %v", err)
	}
	if wrong.Code != -9 || failure.Slug != postern.SlugWrongPassword || failure.Method != "operators.signin" {
		t.Errorf("got %+v", failure)
	}
	if err.Error() != "postern: operators.signin: wrong_password: Password is incorrect for this account." {
		t.Errorf("it says %v", err)
	}
	var other *postern.OperatorsTooManyAttempts
	if errors.As(err, &other) || errors.Is(err, postern.SlugTooManyAttempts) {
		t.Error("it is another error as well")
	}
}

func TestAnErrorMatchesEachOfItsSlugs(t *testing.T) {
	client := open(t, postern.Options{})
	_, err := client.Care.User.Register(limited(t), postern.CareUserRegisterParams{})
	var email *postern.CareEmailRequired
	if !errors.As(err, &email) || len(email.Slugs) != 3 || !errors.Is(err, postern.SlugPasswordRequired) {
		t.Errorf("got %v", err)
	}
}

func TestTooManyAttemptsHasRetryAfter(t *testing.T) {
	client := open(t, postern.Options{
		Arguments: []string{"--no-email-confirmation", "--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7"},
	})
	params := postern.OperatorsSigninParams{Email: "lasoren+0@bu.edu", Password: "a wrong password"}
	register(t, client)
	var many *postern.OperatorsTooManyAttempts
	for count := 0; count < 1_000; count++ {
		if _, err := client.Operators.Signin(limited(t), params); errors.As(err, &many) {
			break
		}
	}
	if many == nil || many.RetryAfter != time.Hour {
		t.Errorf("got %+v", many)
	}
}

func TestAnErrorWithoutAKnownSlugIsACallError(t *testing.T) {
	for _, failure := range []string{
		`{"code":-32601,"message":"Method not found"}`,
		`{"code":7,"message":"New.","data":{"errors":["newer_than_this"],"retry_after":1}}`,
		`{"code":7,"message":"Odd.","data":["errors"]}`,
	} {
		client := openFake(t, "says", postern.Options{
			Env: []string{`TEST_SAYS={"jsonrpc":"2.0","id":{{id}},"error":` + failure + `}`},
		})
		_, err := client.Call(limited(t), "anything", nil)
		plain, isPlain := err.(*postern.CallError)
		if !isPlain || plain.Code == 0 || plain.Message == "" || strings.Contains(failure, "newer") != (plain.Slug != "") {
			t.Errorf("%s gave %#v", failure, err)
		}
	}
}

func TestBinaryNotFoundListsAllPlaces(t *testing.T) {
	var missing *postern.BinaryNotFound
	// A missing file, a folder, and a file that is not executable.
	for _, binary := range []string{"/nowhere/postern", t.TempDir(), "/etc/passwd"} {
		_, err := postern.Open(postern.Options{Binary: binary})
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), binary) {
			t.Errorf("got %v", err)
		}
	}
	t.Setenv("POSTERN_BIN", "/elsewhere/postern")
	_, err := postern.Open(postern.Options{})
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "/elsewhere/postern") {
		t.Errorf("got %v", err)
	}
	t.Setenv("POSTERN_BIN", "")
	t.Setenv("PATH", "/one:/two")
	_, err = postern.Open(postern.Options{})
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "/one/postern, /two/postern") {
		t.Errorf("got %v", err)
	}
}

func TestTheBinaryIsFoundOnPATH(t *testing.T) {
	folder := t.TempDir()
	if err := os.Symlink(os.Getenv("POSTERN_BIN"), filepath.Join(folder, "postern")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("POSTERN_BIN", "")
	t.Setenv("PATH", folder)
	client := open(t, postern.Options{})
	if _, err := client.System.Info(context.Background()); err != nil {
		t.Error(err)
	}
}

// With these variables alone, the process would use another protocol on its pipes.
func TestOptionsOverrideTheEnvironment(t *testing.T) {
	folder := t.TempDir()
	client := open(t, postern.Options{
		Data: "-a folder",
		Dir:  folder,
		Env:  []string{"POSTERN_FRAMING=header", "POSTERN_REPLIES=in-order", "POSTERN_DATA=elsewhere"},
	})
	register(t, client)
	if _, err := os.Stat(filepath.Join(folder, "-a folder", "journal-1.jsonl")); err != nil {
		t.Error(err)
	}
}

// A relative path of the binary is relative to the host's directory, not to Dir.
func TestDirIsTheDirectoryOfTheDefaultData(t *testing.T) {
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := filepath.Rel(working, os.Getenv("POSTERN_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	client, err := postern.Open(postern.Options{Binary: binary, Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	register(t, client)
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "postern-data", "journal-1.jsonl")); err != nil {
		t.Error(err)
	}
}
