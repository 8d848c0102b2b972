package accesskey_test

import (
	"regexp"
	"testing"

	"ouro/cloud/accesskey"
)

func TestAccount(t *testing.T) {
	t.Parallel()
	for _, account := range []string{"000000000000", "123456789012", "999999999999"} {
		id := accesskey.New("ASIA", account)
		if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(id) {
			t.Errorf("%s has not AWS's form", id)
		}
		if got, ok := accesskey.Account(id); !ok || got != account {
			t.Errorf("Account(%s) = %s, %v, want %s", id, got, ok, account)
		}
	}
	for id, want := range map[string]string{"": "", "000000000000": "", "test": "", "AKIA0000000000000000": ""} {
		if got, ok := accesskey.Account(id); ok || got != want {
			t.Errorf("Account(%q) = %q, %v", id, got, ok)
		}
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		seen[accesskey.New("AKIA", "1")] = true
		seen[accesskey.NewSecret()] = true
		seen[accesskey.NewToken()] = true
	}
	if len(seen) != 300 {
		t.Errorf("of 300 keys, secrets and tokens only %d differ", len(seen))
	}
	if id := accesskey.NewID("AROA"); len(id) != 21 {
		t.Errorf("%s has %d letters, want 21", id, len(id))
	}
	if secret := accesskey.NewSecret(); len(secret) != 40 {
		t.Errorf("a secret has %d letters, want 40", len(secret))
	}
}
