package recipients_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"fanmail/shared/recipients"
)

// FuzzReader holds what comes out of any file, and for files that encoding/csv takes whole, that both see the same.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"email,name\na@b.example,Kim\n", "email;x\n\"a@b.example\";\"1\r\n2\"\"\"\n", "\ufeffemail\n\n\na@b.example", "email\tx\r\na\t\"",
		"email,x\na@b.example,\"1\nb@b.example,2\nc@b.example,\"3\"\n", "email,\xb1\xe8\na@b.example,\xb1\xe8\n", "email\n\x00\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	example, err := os.ReadFile("testdata/excel-korea.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example, true)
	f.Fuzz(func(t *testing.T, file []byte, inCP949 bool) {
		o := recipients.Options{Encoding: recipients.UTF8, HeaderFields: []string{"x"}}
		if inCP949 {
			o.Encoding = recipients.CP949
		}
		if _, err := recipients.Detect(bytes.NewReader(file)); err != nil {
			return
		}
		reader, err := recipients.NewReader(bytes.NewReader(file), o)
		if err != nil {
			var e *recipients.Error
			if !errors.As(err, &e) || strings.Contains(e.Message, "\n") && !bytes.Contains(file, []byte{'"'}) {
				t.Fatal(err)
			}
			return
		}
		theirs, comparable := csvRows(file)
		comparable = comparable && !inCP949 && bytes.HasPrefix(file, []byte("email,"))
		lines, last, rows := 1+bytes.Count(file, []byte{'\n'}), 0, 0
		for {
			r, reject, err := reader.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			rows++
			line := r.Line
			if reject != nil {
				line = reject.Line
				if !utf8.ValidString(reject.Email) || strings.ContainsAny(reject.Email, "\r\n\x00") {
					t.Fatalf("%q", reject.Email)
				}
			} else {
				check(t, reader, r)
			}
			if comparable && reject == nil {
				for i, name := range reader.Columns() {
					if want := theirs[rows][i]; name != "email" && r.Fields[name] != want {
						t.Fatalf("line %d, %s: %q; encoding/csv has %q", line, name, r.Fields[name], want)
					}
				}
			}
			if line <= last || line > lines {
				t.Fatalf("line %d after %d of %d", line, last, lines)
			}
			last = line
		}
		if comparable && len(theirs)-1 != rows {
			t.Fatalf("%d rows; encoding/csv has %d", rows, len(theirs)-1)
		}
	})
}

func check(t *testing.T, reader *recipients.Reader, r recipients.Recipient) {
	if again, err := recipients.Normalise(r.Address); again != r.Address || err != nil || r.Fields["email"] != r.Address {
		t.Fatalf("%q, %v, %q", r.Address, err, r.Fields)
	}
	if len(r.Fields) != len(reader.Columns()) {
		t.Fatalf("%d fields, %d columns", len(r.Fields), len(reader.Columns()))
	}
	for name, value := range r.Fields {
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) || name == "x" && strings.ContainsAny(value, "\r\n") {
			t.Fatalf("%s: %q", name, value)
		}
	}
}

// csvRows is the file, header first, as encoding/csv reads it; false when that gives up.
func csvRows(file []byte) ([][]string, bool) {
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	return rows, err == nil
}

// BenchmarkRead prints ns per row of a list with small rows.
func BenchmarkRead(b *testing.B) {
	for name, row := range map[string]string{
		"plain":  "firstname.lastname@example.com,Firstname Lastname,Seoul,1200\n",
		"quoted": "firstname.lastname@example.com,\"Lastname, Firstname\",Seoul,1200\n",
		"IDN":    "firstname.lastname@bücher.example,Firstname Lastname,Seoul,1200\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			source := io.MultiReader(strings.NewReader("email,name,city,points\n"), &endless{row: strings.Repeat(row, 1000)})
			reader, err := recipients.NewReader(source, recipients.Options{HeaderFields: []string{"name"}})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if r, reject, err := reader.Read(); r.Address == "" {
					b.Fatal(reject, err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkDetect(b *testing.B) {
	file := strings.Repeat("firstname.lastname@example.com,김민준,Seoul,1200\n", 10_000)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := recipients.Detect(strings.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}

type endless struct {
	row string
	at  int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.row[e.at:])
	e.at = (e.at + n) % len(e.row)
	return n, nil
}
