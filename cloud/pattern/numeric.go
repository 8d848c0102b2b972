package pattern

import (
	"encoding/json"
	"slices"
)

// numericRange is the largest magnitude that numeric matching takes.
const numericRange = 5e9

// numeric compares with one bound or two.
func numeric(argument any) (test, error) {
	list, _ := argument.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, reasonf("Value of numeric must be an array of one or two comparisons")
	}
	var bounds []func(float64) bool
	for pair := range slices.Chunk(list, 2) {
		sign, _ := pair[0].(string)
		compare, ok := comparisons()[sign]
		if !ok || (sign == "=" && len(list) > 2) {
			return nil, reasonf("Unrecognized numeric range operator: %v", pair[0])
		}
		number, ok := pair[1].(json.Number)
		if !ok {
			return nil, reasonf("Value of %s must be numeric", sign)
		}
		bound, err := number.Float64()
		if err != nil || bound < -numericRange || bound > numericRange {
			return nil, reasonf("Value must be between -5.0E9 and 5.0E9, inclusive")
		}
		bounds = append(bounds, func(f float64) bool { return compare(f, bound) })
	}
	return func(v any) bool {
		number, _ := v.(json.Number)
		f, err := number.Float64()
		return err == nil && !slices.ContainsFunc(bounds, func(holds func(float64) bool) bool { return !holds(f) })
	}, nil
}

func comparisons() map[string]func(a, b float64) bool {
	return map[string]func(a, b float64) bool{
		"=":  func(a, b float64) bool { return a == b },
		"<":  func(a, b float64) bool { return a < b },
		"<=": func(a, b float64) bool { return a <= b },
		">":  func(a, b float64) bool { return a > b },
		">=": func(a, b float64) bool { return a >= b },
	}
}
