package gitsource_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"ouro/gitsource"
)

var update = flag.Bool("update", false, "write what is got as what is wanted")

// sample is a delivery as a provider sends it.
type sample struct {
	provider gitsource.Provider
	headers  map[string]string
	body     []byte
	want     string
}

func samples(t testing.TB) map[string]sample {
	t.Helper()
	files, err := filepath.Glob("testdata/payloads/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no payloads: %v", err)
	}
	all := map[string]sample{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil || len(a.Files) != 3 {
			t.Fatalf("%s: %v", file, err)
		}
		name, host, _ := strings.Cut(strings.TrimSpace(string(a.Comment)), " ")
		p, err := gitsource.NewProvider(name, host)
		if err != nil {
			t.Fatal(err)
		}
		s := sample{provider: p, headers: map[string]string{}, body: a.Files[1].Data, want: string(a.Files[2].Data)}
		for line := range strings.Lines(string(a.Files[0].Data)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			s.headers[textproto.CanonicalMIMEHeaderKey(name)] = value
		}
		all[strings.TrimSuffix(filepath.Base(file), ".txtar")] = s
	}
	return all
}

func (s sample) header(name string) string {
	return s.headers[textproto.CanonicalMIMEHeaderKey(name)]
}

// TestPayloads: what the providers send is read as one kind of value.
func TestPayloads(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.provider.Parse(s.header, s.body)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			e := json.NewEncoder(&text)
			e.SetEscapeHTML(false)
			e.SetIndent("", " ")
			if err := e.Encode(got); err != nil {
				t.Fatal(err)
			}
			if *update {
				file := filepath.Join("testdata/payloads", name+".txtar")
				a, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				a.Files[2].Data = text.Bytes()
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(s.want, text.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzParse: no payload ends the program, and none gives names that lead out of
// their place.
func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.provider.Name, s.header("x-github-event")+s.header("x-event-key"), s.body)
	}
	f.Fuzz(func(t *testing.T, provider, event string, body []byte) {
		p, err := gitsource.NewProvider(provider, "git.example.com")
		if err != nil {
			return
		}
		header := func(name string) string {
			if strings.Contains(name, "event") {
				return event
			}
			return "delivery"
		}
		found, err := p.Parse(header, body)
		if err != nil {
			return
		}
		for _, e := range found {
			if e.Kind == gitsource.Ping || e.Kind == gitsource.Other {
				continue
			}
			key := e.Key()
			if len(key) > 1024 || filepath.IsAbs(key) || filepath.Clean(key) != key || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("the key is %q", key)
			}
		}
	})
}
