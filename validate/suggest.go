package validate

import (
	"slices"
	"strings"
)

// didYouMean is the end of a message that names the candidate which a wrong
// word most likely stands for; "" when none is near.
func didYouMean(word string, candidates []string) string {
	best, least := "", min(len(word)/3, 4)+1
	for _, c := range candidates {
		if strings.EqualFold(c, word) {
			best = c
			break
		}
		if d := distance(word, c, least); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + quoted(best) + "?"
}

// distance is how many letters have to be put in, taken out, replaced or
// swapped with the next to make b of a. From most on it does not count.
func distance(a, b string, most int) int {
	if d := len(a) - len(b); d >= most || -d >= most {
		return most
	}
	// rows[i%3][j] is the distance of the first i and j letters.
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := rows[(i+1)%3], rows[(i+2)%3], rows[i%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if slices.Min(row) >= most {
			return most
		}
	}
	return rows[len(a)%3][len(b)]
}
