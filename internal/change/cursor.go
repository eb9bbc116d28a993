package change

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// cipherSize is the length of the feed's secret that is used, in bytes: a key of AES-128.
const cipherSize = 16

// cursors make and read cursors. A cursor is half of the log's epoch and one encrypted block: 8 + 16 bytes, in
// base64url. Positions count the changes of all items, in all accounts. If clients could read them, they would learn
// how much happens that they may not see.
//
//	of a change   position (8 bytes), the other half of the epoch (8)           always the same
//	checkpoint    position (6), random (6), the last bytes of the epoch (4)     never the same again
//
// A checkpoint belongs to no change that the client sees. If it were always the same, a client that asks repeatedly
// would learn from the next one when something changed that it may not see. Six bytes count more than 10¹⁴ changes.
type cursors struct {
	epoch uuid.UUID
	block cipher.Block
}

func newCursors(epoch uuid.UUID, secret []byte) (cursors, error) {
	if len(secret) < cipherSize {
		return cursors{}, fmt.Errorf("the feed's secret has %d bytes, want %d", len(secret), cipherSize)
	}
	block, err := aes.NewCipher(secret[:cipherSize])
	return cursors{epoch, block}, err
}

func (c cursors) encode(p Position) string {
	var raw [24]byte
	copy(raw[:8], c.epoch[:8])
	binary.BigEndian.PutUint64(raw[8:16], uint64(p))
	copy(raw[16:], c.epoch[8:])
	c.block.Encrypt(raw[8:], raw[8:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// checkpoint returns a cursor of a position that differs from every other.
func (c cursors) checkpoint(p Position) string {
	var raw [24]byte
	copy(raw[:8], c.epoch[:8])
	block := raw[8:]
	binary.BigEndian.PutUint64(block[6:], rand.Uint64()) // two bytes are overwritten
	binary.BigEndian.PutUint64(block, uint64(p)<<16|uint64(block[6])<<8|uint64(block[7]))
	mark := c.mark()
	copy(block[12:], mark[:])
	c.block.Encrypt(block, block)
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// mark ends the block of a checkpoint. That of a change's cursor ends with the complement of these bytes.
func (c cursors) mark() (mark [4]byte) {
	for n := range mark {
		mark[n] = ^c.epoch[12+n]
	}
	return mark
}

// errForeign means that a cursor belongs to another epoch.
var errForeign = errors.New("the cursor is of another log")

// decode is the inverse of encode and checkpoint. Errors: INVALID_CURSOR; errForeign for a cursor of another epoch.
func (c cursors) decode(cursor string) (Position, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != 24 {
		return 0, errMalformed()
	}
	if string(raw[:8]) != string(c.epoch[:8]) {
		return 0, errForeign
	}
	c.block.Decrypt(raw[8:], raw[8:])
	first, mark := binary.BigEndian.Uint64(raw[8:16]), c.mark()
	if string(raw[20:]) == string(mark[:]) {
		return Position(first >> 16), nil
	}
	if p := Position(first); p >= 0 && string(raw[16:]) == string(c.epoch[8:]) {
		return p, nil
	}
	return 0, errMalformed()
}

// idMark tells a sealed id from a sealed position.
const idMark = "the id__"

// SealID hides the id of a change, as cursors hide a position: ids count the changes of all accounts too.
func (f *Feed) SealID(id int64) (sealed uuid.UUID) {
	binary.BigEndian.PutUint64(sealed[:8], uint64(id))
	copy(sealed[8:], idMark)
	f.cursors.block.Encrypt(sealed[:], sealed[:])
	return sealed
}

// OpenID returns the id that SealID hid; ok is false for any other value.
func (f *Feed) OpenID(sealed uuid.UUID) (id int64, ok bool) {
	f.cursors.block.Decrypt(sealed[:], sealed[:])
	id = int64(binary.BigEndian.Uint64(sealed[:8]))
	return id, id > 0 && string(sealed[8:]) == idMark
}

func errMalformed() error {
	return problem.New(problem.InvalidCursor,
		"The cursor is malformed. Pass the unmodified cursor of a change, or of a list of items.")
}
