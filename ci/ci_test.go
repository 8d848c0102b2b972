package ci_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ouro/ci"
)

func TestCheckProject(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"demo": true, "ScriptLanguages-2": true, "": false, "a": false, "2demo": false, "de_mo": false, "abcdefghijabcdefghijabcdefghijab": false} {
		if err := ci.CheckProject(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSourceType(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://github.com/o/r": "GITHUB", "https://bitbucket.org/o/r.git": "BITBUCKET", "https://gitlab.com/g/s/r": "GITLAB",
		"https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/r": "CODECOMMIT",
		"https://git.example.com/o/r":                               "", "http://github.com/o/r": "", "https://github.com/": "", "https://me:secret@github.com/o/r": "", "": "",
	} {
		if got, err := ci.SourceType(url); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
}

func TestReleaseIDs(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	if got := ci.ReleaseID(at); got != "release-20260203-030506" || ci.CheckReleaseID(got) != nil {
		t.Errorf("id %s", got)
	}
	for url, want := range map[string]string{
		"https://uploads.github.com/repos/o/r/releases/123/assets{?name,label}":    "123",
		"https://git.example.com/api/uploads/repos/o/r.x/releases/9/assets?name=a": "9",
		"https://uploads.github.com/repos/o/r/releases/x/assets":                   "",
		"https://github.com/o/r/releases/tag/1":                                    "",
		"https://uploads.github.com/repos/o/r/releases/1/assets\n; rm -rf /":       "",
		"http://uploads.github.com/repos/o/r/releases/1/assets":                    "",
	} {
		if got, err := ci.ReleaseOf(url); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", url, got, err)
		}
	}
	for _, id := range []string{"", "-x", "a b", "$(id)", "a/b"} {
		if ci.CheckReleaseID(id) == nil {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	arn := "arn:aws:secretsmanager:us-east-1:000000000000:secret:Hub-AbCdEf"
	for text, want := range map[string]*ci.Secret{
		"Hub": {Name: "Hub"}, "Hub:User,AccessToken": {Name: "Hub", Keys: []string{"User", "AccessToken"}},
		arn: {Name: arn}, arn + ":token": {Name: arn, Keys: []string{"token"}}, "": nil, ":x": nil, "Hub:a,,b": nil,
	} {
		got, err := ci.ParseSecret(text)
		if (err == nil) != (want != nil) || want != nil && !cmp.Equal(*want, got) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
