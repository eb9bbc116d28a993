package oneshot_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// made returns a file that a program makes under a name in an empty folder. The arguments are divided at spaces.
func made(t *testing.T, name, program, args string) []byte {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, strings.Fields(args)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// ffmpeg returns a file that ffmpeg makes.
func ffmpeg(t *testing.T, name, args string) []byte {
	t.Helper()
	return made(t, name, "ffmpeg", "-v error -nostdin "+args+" "+name)
}

const (
	pattern = "-f lavfi -i testsrc2=s=160x90:r=10:d=2 "
	tone    = "-f lavfi -i sine=d=2 "
	h264    = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p "
)

// box returns a box of an ISO base media file (ISO/IEC 14496-12 §4.2).
func box(kind string, content ...[]byte) []byte {
	all := bytes.Join(content, nil)
	head := binary.BigEndian.AppendUint32(nil, uint32(8+len(all)))
	return append(append(head, kind...), all...)
}

// withBoxes returns boxes in which change has replaced the content of each one at a path, such as "moov/trak/mdia".
func withBoxes(boxes []byte, path string, change func(content []byte) []byte) (out []byte) {
	name, rest, deeper := strings.Cut(path, "/")
	for len(boxes) >= 8 {
		size := int(binary.BigEndian.Uint32(boxes))
		kind, content := string(boxes[4:8]), boxes[8:size]
		switch {
		case kind == name && deeper:
			content = withBoxes(content, rest, change)
		case kind == name:
			content = change(content)
		}
		out = append(out, box(kind, content)...)
		boxes = boxes[size:]
	}
	return out
}

// withTracks returns an MP4 whose first track is there many times. Its index must follow its content.
func withTracks(mp4 []byte, count int) []byte {
	return withBoxes(mp4, "moov", func(moov []byte) (out []byte) {
		var track []byte
		out = withBoxes(moov, "trak", func(content []byte) []byte {
			track = content
			return content
		})
		for n := range count - 1 {
			next := withBoxes(track, "tkhd", func(head []byte) []byte {
				head = bytes.Clone(head)
				binary.BigEndian.PutUint32(head[12:], uint32(n+10)) // its id
				return head
			})
			out = append(out, box("trak", next)...)
		}
		return out
	})
}

// element returns an element of a Matroska file (RFC 8794), with a size of eight bytes.
func element(id uint32, content ...[]byte) []byte {
	all := bytes.Join(content, nil)
	return append(elementHead(id, uint64(len(all))), all...)
}

func elementHead(id uint32, size uint64) []byte {
	head := bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
	return binary.BigEndian.AppendUint64(head, 1<<56|size)
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// matroska returns a file with tracks of 16-bit sound at 8 kHz, and a block of 1,000 samples of the first one at each
// time, in milliseconds.
func matroska(tracks int, times ...uint64) []byte {
	var entries, clusters [][]byte
	for n := range tracks {
		entries = append(entries, element(0xAE, element(0xD7, number(uint64(n+1))), element(0x73C5, number(uint64(n+1))),
			element(0x83, []byte{2}), element(0x86, []byte("A_PCM/INT/LIT")),
			element(0xE1, element(0x9F, []byte{1}), element(0x6264, []byte{16}))))
	}
	for _, at := range times {
		clusters = append(clusters, element(0x1F43B675, element(0xE7, number(at)),
			element(0xA3, []byte{0x81, 0, 0, 0x80}, make([]byte, 2000))))
	}
	return append(matroskaHead(), element(0x18538067, element(0x1549A966, element(0x2AD7B1, number(1_000_000))),
		element(0x1654AE6B, entries...), bytes.Join(clusters, nil))...)
}

func matroskaHead() []byte {
	return element(0x1A45DFA3, element(0x4282, []byte("matroska")), element(0x4287, []byte{4}), element(0x4285, []byte{2}))
}

// png returns a picture of a size without its pixels.
func png(width, height uint32) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return append([]byte("\x89PNG\r\n\x1A\n"), append(chunk("IHDR", append(size, 8, 2, 0, 0, 0)), chunk("IEND", nil)...)...)
}

func chunk(kind string, content []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	out = append(append(out, kind...), content...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pdf returns a document of one page with a size. catalog and page are further entries of these objects, and objects
// are further objects, from number 10 on.
func pdf(width, height, catalog, page string, objects ...string) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "%%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R %s>> endobj\n", catalog)
	out.WriteString("2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n")
	fmt.Fprintf(&out, "3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 %s %s] %s>> endobj\n", width, height, page)
	for n, object := range objects {
		fmt.Fprintf(&out, "%d 0 obj %s endobj\n", n+10, object)
	}
	out.WriteString("trailer <</Root 1 0 R>>\n")
	return []byte(out.String())
}

// wave returns a WAV file whose header has some sample rate and says some number of bytes, with a thousand of them.
func wave(rate uint32, channels uint16, says uint32) []byte {
	var out bytes.Buffer
	out.WriteString("RIFF")
	_ = binary.Write(&out, binary.LittleEndian, says+36)
	out.WriteString("WAVEfmt ")
	for _, field := range []any{uint32(16), uint16(1), channels, rate, rate * uint32(channels) * 2, channels * 2, uint16(16)} {
		_ = binary.Write(&out, binary.LittleEndian, field)
	}
	out.WriteString("data")
	_ = binary.Write(&out, binary.LittleEndian, says)
	out.Write(make([]byte, 1000))
	return out.Bytes()
}
