package recipients

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"
)

// Encoding of a recipients file.
type Encoding string

const (
	// UTF8 with or without a byte order mark.
	UTF8 Encoding = "UTF-8"
	// CP949 is Microsoft's superset of EUC-KR.
	CP949 Encoding = "CP949"
	// Neither of the two, or not text at all: NewReader says where, and opens no such file.
	Neither Encoding = "neither UTF-8 nor CP949"
)

var bom = []byte("\xef\xbb\xbf")

// Detect reads the whole stream in constant memory and tells its encoding. A file is CP949 only if a fifth or more of its
// non-ASCII characters are broken as UTF-8, while hardly any are broken as CP949 and most of those are Hangul. Of Korean
// lists in CP949 some 85 % are broken, and a third of a list with just the name 홍길동, as UTF-8; a UTF-8 file with a few
// broken bytes stays UTF-8, and only the rows that hold them are rejected. With as many broken characters and no Korean,
// as of a list in Windows-1252, it is Neither: its rows with accents would be left out and the rest mailed. The error is
// that of r.
func Detect(r io.Reader) (Encoding, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	start, err := buffered.Peek(len(bom))
	if err != nil && err != io.EOF {
		return "", err
	}
	marked := bytes.Equal(start, bom)
	var (
		buffer = make([]byte, 64<<10)
		kept   int // bytes of a character that the next read completes
		utf    tally
		korean cp949Tally
	)
	for {
		n, err := buffered.Read(buffer[kept:])
		chunk := buffer[:kept+n]
		korean.add(chunk[kept:])
		rest := utf.add(chunk, err != nil)
		kept = copy(buffer, chunk[len(chunk)-rest:])
		switch {
		case err == io.EOF && (marked || !utf.hopeless()):
			return UTF8, nil
		case err == io.EOF && korean.likely():
			return CP949, nil
		case err == io.EOF:
			return Neither, nil
		case err != nil:
			return "", err
		}
	}
}

// tally counts the non-ASCII characters of a stream that are good and bad as UTF-8.
type tally struct{ good, bad int64 }

func (t tally) hopeless() bool { return t.bad > 0 && t.bad*4 >= t.good }

// add counts b and returns how many bytes at its end wait for more.
func (t *tally) add(b []byte, last bool) (rest int) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		if !last && !utf8.FullRune(b) {
			return len(b)
		}
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			t.bad++
		} else {
			t.good++
		}
		b = b[size:]
	}
	return 0
}

// cp949Tally counts the two-byte characters of a stream by the layout of CP949 (Unicode, VENDORS/MICSFT/WINDOWS/CP949.TXT):
// lead bytes 81-C6 take trail bytes 41-5A, 61-7A and 81-FE, lead bytes C7-FE take A1-FE. Hangul are those of KS X 1001, B0-C8
// with A1-FE, and all with a lead byte below A1 or a trail byte below A1.
type cp949Tally struct {
	good, bad, hangul int64
	lead              byte // waits for its trail byte
}

func (t cp949Tally) likely() bool { return t.bad*10 < t.good+t.bad && t.hangul*2 > t.good }

func (t *cp949Tally) add(b []byte) {
	for _, c := range b {
		switch {
		case t.lead == 0 && c < 0x80:
		case t.lead == 0 && (c == 0x80 || c == 0xff):
			t.bad++
		case t.lead == 0:
			t.lead = c
		case c >= 0xa1 && c <= 0xfe:
			t.good++
			if t.lead < 0xa1 || t.lead >= 0xb0 && t.lead <= 0xc8 {
				t.hangul++
			}
			t.lead = 0
		case t.lead <= 0xc6 && (c >= 0x41 && c <= 0x5a || c >= 0x61 && c <= 0x7a || c >= 0x81 && c <= 0xa0):
			t.good++
			t.hangul++
			t.lead = 0
		default:
			t.bad++
			t.lead = 0
		}
	}
}
