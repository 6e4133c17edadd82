package clock

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Handler serves the clock: GET answers {"now": ..., "offset": "0s"}, POST {"advance": "24h"} moves it forward by a duration as
// Go writes them and answers the same when everything has moved. advance does the moving.
func (c *Clock) Handler(advance func(context.Context, time.Duration) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
		case http.MethodPost:
			d, err := readAdvance(w, r)
			if err != nil {
				refuse(w, http.StatusBadRequest, err)
				return
			}
			if err := advance(r.Context(), d); err != nil {
				refuse(w, http.StatusInternalServerError, err)
				return
			}
		default:
			w.Header().Set("Allow", "GET, POST")
			refuse(w, http.StatusMethodNotAllowed, fmt.Errorf("%s %s: the clock knows GET and POST", r.Method, r.URL.Path))
			return
		}
		now := c.Now().UTC()
		write(w, http.StatusOK, state{Now: &now, Offset: c.Offset().String()})
	})
}

func readAdvance(w http.ResponseWriter, r *http.Request) (time.Duration, error) {
	var body struct {
		Advance string `json:"advance"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<12))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&body)
	var d time.Duration
	if err == nil {
		d, err = time.ParseDuration(body.Advance)
	}
	if err == nil && d < time.Microsecond {
		err = fmt.Errorf("the clock goes forward only, and not by %q", body.Advance)
	}
	if err != nil {
		return 0, fmt.Errorf("advancing the clock: %w: write {\"advance\": \"24h\"}", err)
	}
	return d, nil
}

func refuse(w http.ResponseWriter, status int, err error) {
	write(w, status, map[string]string{"message": err.Error()})
}

func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // fails only when the caller is gone
}
