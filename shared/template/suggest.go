package template

import (
	"strings"
	"unicode/utf8"
)

// maxWord is the most characters of words that are compared, which takes the square of them.
const maxWord = 64

// DidYouMean finishes a message about an unknown word: "; did you mean subject?" with the nearest candidate, or nothing
// when none is near: one slip in three characters, or only the case differs.
func DidYouMean(word string, candidates []string) string {
	best, bestDistance := "", -1
	for _, c := range candidates {
		x, y := utf8.RuneCountInString(word), utf8.RuneCountInString(c)
		near := min(2, max(x, y)/3)
		if max(x, y) > maxWord || max(x, y)-min(x, y) > near {
			continue
		}
		d := distance(strings.ToLower(word), strings.ToLower(c))
		if d > near {
			continue
		}
		if bestDistance < 0 || d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the number of slips between two words, in characters: a missing, extra, wrong, or swapped pair of letters
// (Levenshtein's distance with transpositions, also called optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			substitute := rows[i-1][j-1]
			if x[i-1] != y[j-1] {
				substitute++
			}
			rows[i][j] = min(substitute, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
