package hook

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/google/uuid"

	"itemcast/internal/change"
)

// DeliveryID returns the id of a delivery, which is also its webhook-id: a UUID of version 8 (RFC 9562). It begins
// with the change's position, by which the delivery is found. The rest is a digest of the hook and the change. So a
// change has the same id at a hook however often it is sent. No other change has that id, not even one that takes the
// same position after the database was restored from a backup.
func DeliveryID(hook uuid.UUID, c *change.Change) uuid.UUID {
	text := make([]byte, 0, 96)
	text = append(text, hook[:]...)
	text = append(text, c.ItemID[:]...)
	text = strconv.AppendInt(text, c.ID, 10)
	text = append(text, ' ')
	text = strconv.AppendInt(text, c.Revision, 10)
	text = append(text, ' ')
	text = strconv.AppendInt(text, c.OccurredAt.UnixMicro(), 10)
	digest := sha256.Sum256(text)

	var bytes uuid.UUID
	binary.BigEndian.PutUint64(bytes[:], uint64(c.Position)<<16)
	copy(bytes[6:], digest[:])
	return version8(bytes[:])
}

// version8 makes a UUID of version 8 (RFC 9562) of the first 16 bytes.
func version8(bytes []byte) (id uuid.UUID) {
	copy(id[:], bytes)
	id[6] = id[6]&0x0f | 0x80 // the version
	id[8] = id[8]&0x3f | 0x80 // the variant
	return id
}

// PositionOf returns the position in a delivery's id.
func PositionOf(id uuid.UUID) int64 { return int64(binary.BigEndian.Uint64(id[:]) >> 16) }
