package engine

import "strings"

// secretsIn are the texts in attributes that are not to be shown, each
// followed by what is shown in its place, as strings.NewReplacer takes them.
func secretsIn(attributes any) []string {
	var pairs []string
	switch v := attributes.(type) {
	case map[string]any:
		for _, item := range v {
			pairs = append(pairs, secretsIn(item)...)
		}
	case []any:
		for _, item := range v {
			pairs = append(pairs, secretsIn(item)...)
		}
	case string:
		if v != "" {
			pairs = []string{v, Mask, strings.Trim(string(canonical(v)), `"`), Mask}
		}
	}
	return pairs
}
