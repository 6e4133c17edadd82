package stepfunctions

import (
	"encoding/base64"
	"strconv"
)

// pageRequest is the part of a List request that says which page.
type pageRequest struct {
	MaxResults int32  `json:"maxResults"`
	NextToken  string `json:"nextToken"`
}

// window is the first position of the page and its size. A token holds the position to go on from, so that a list that
// grows at its other end neither repeats nor skips anything.
func (r pageRequest) window() (after int64, size int, err error) {
	size = int(r.MaxResults)
	if size < 0 || size > maxPageSize {
		return 0, 0, invalid("maxResults", "Member must have value between 0 and 1000")
	}
	if size == 0 {
		size = defaultPageSize
	}
	if r.NextToken == "" {
		return -1, size, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(r.NextToken)
	if err == nil {
		after, err = strconv.ParseInt(string(text), 10, 64)
	}
	if err != nil || after < 0 {
		return 0, 0, apiErrorf("InvalidToken", "Invalid Token: 'Invalid token'")
	}
	return after, size, nil
}

// token goes on after a position.
func token(position int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(position, 10)))
}

// listed is an entry of a list, with the position that orders it.
type listed struct {
	position int64
	fields   func() map[string]any
}

// page gives the entries after the request's position under name, with a token if there are more. Entries must come in
// the order of the list; their positions only fall (newest first), or only rise.
func (r pageRequest) page(name string, falling bool, entries []listed) (any, error) {
	after, size, err := r.window()
	if err != nil {
		return nil, err
	}
	shown := []any{}
	out := map[string]any{}
	last := int64(-1)
	for _, entry := range entries {
		if after >= 0 && (falling && entry.position >= after || !falling && entry.position <= after) {
			continue
		}
		if len(shown) == size {
			out["nextToken"] = token(last)
			break
		}
		shown = append(shown, entry.fields())
		last = entry.position
	}
	out[name] = shown
	return out, nil
}
