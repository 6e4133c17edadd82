package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a Maven repository with one archive for whatever platform is asked for.
func repository(t *testing.T, jar []byte) *httptest.Server {
	t.Helper()
	sum := sha256.Sum256(jar)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/io/zonky/test/postgres/") {
			http.NotFound(w, r)
		} else if strings.HasSuffix(r.URL.Path, ".sha256") {
			w.Write([]byte(hex.EncodeToString(sum[:])))
		} else {
			w.Write(jar)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestDownloadedBinariesStartAServer(t *testing.T) {
	real := candidates()
	if len(real) == 0 {
		t.Skip("needs installed PostgreSQL binaries to pack into the archive")
	}
	// The archive's programs hand over to the installed ones: the way is the real one, the 15 MB are not.
	programs := map[string]string{}
	for _, program := range []string{"initdb", "postgres", "pg_ctl"} {
		programs["bin/"+program] = "#!/bin/sh\nexec " + filepath.Join(real[0], program) + " \"$@\"\n"
	}
	server := repository(t, archive(t, programs))
	cache := filepath.Join(openDirectory(t), "cache")
	d := download{cache: cache, repository: server.URL, logger: slog.New(slog.DiscardHandler)}
	binaries, err := d.binaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "download-*")); len(left) != 0 {
		t.Errorf("left in the cache: %v", left)
	}
	server.Close()
	if again, err := d.binaries(t.Context()); err != nil || again != binaries {
		t.Errorf("the second time: %s, %v; want the copy in the cache", again, err)
	}
	t.Setenv("PATH", binaries+":"+os.Getenv("PATH"))
	started := start(t, Config{})
	if started.binaries != binaries {
		t.Errorf("the server ran from %s, want %s", started.binaries, binaries)
	}
	if got := query(t, started.URL(), "SELECT current_database()::text"); got != Database {
		t.Errorf("connected to %q", got)
	}
}

func TestDownloadErrorsAreTold(t *testing.T) {
	empty := repository(t, archive(t, map[string]string{"share/README": "no programs"}))
	nowhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nowhere.Close)
	for address, want := range map[string]string{
		empty.URL:   "has no initdb and postgres",
		nowhere.URL: "no version found matching " + string(embeddedVersion),
	} {
		cache := openDirectory(t)
		d := download{cache: cache, repository: address, logger: slog.New(slog.DiscardHandler)}
		if _, err := d.binaries(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if entries, _ := os.ReadDir(cache); len(entries) != 0 {
			t.Errorf("a failed download left %v", entries)
		}
	}
}

// archive packs files the way the zonky.io builds do: a jar with a .txz in it.
func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var tarball, jar bytes.Buffer
	writer := tar.NewWriter(&tarball)
	for name, content := range files {
		if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	zipped := zip.NewWriter(&jar)
	entry, err := zipped.Create("postgres-any.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(storeXZ(tarball.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}

// storeXZ wraps data (at most 64 KiB) in the .xz format without compressing it: one block with one uncompressed LZMA2
// chunk. https://tukaani.org/xz/xz-file-format.txt
func storeXZ(data []byte) []byte {
	sum := func(b []byte) []byte { return binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)) }
	pad := func(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }
	flags := []byte{0, 1} // check: CRC32
	header := append([]byte("\xFD7zXZ\x00"), append(flags, sum(flags)...)...)

	blockHeader := []byte{2, 0, 0x21, 1, 0x16, 0, 0, 0} // size 12, one filter: LZMA2 with a dictionary of 8 MiB
	blockHeader = append(blockHeader, sum(blockHeader)...)
	size := len(data) - 1
	chunk := append([]byte{1, byte(size >> 8), byte(size)}, data...)
	chunk = append(chunk, 0)
	unpadded := len(blockHeader) + len(chunk) + 4
	block := append(pad(append(blockHeader, chunk...)), sum(data)...)

	index := []byte{0, 1}
	index = binary.AppendUvarint(index, uint64(unpadded))
	index = binary.AppendUvarint(index, uint64(len(data)))
	index = pad(index)
	index = append(index, sum(index)...)

	footer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1))
	footer = append(footer, flags...)
	footer = append(sum(footer), append(footer, 'Y', 'Z')...)
	return bytes.Join([][]byte{header, block, index, footer}, nil)
}
