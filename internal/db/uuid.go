package db

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// registerUUID has uuid.UUID, and a pointer to it as a parameter, go as its sixteen bytes. pgx by itself asks its Scan and Value, and goes by way of the text: for 50 rows of an
// id, 8 % of all that a list costs.
func registerUUID(conn *pgx.Conn) {
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: uuidCodec{}})
}

type uuidCodec struct{ pgtype.UUIDCodec }

func (c uuidCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case uuid.UUID:
			return encodeUUID{}
		case *uuid.UUID:
			return encodeUUIDOrNull{}
		}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

func (c uuidCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*uuid.UUID); ok && format == pgtype.BinaryFormatCode {
		return scanUUID{}
	}
	return c.UUIDCodec.PlanScan(m, oid, format, target)
}

type encodeUUID struct{}

func (encodeUUID) Encode(value any, to []byte) ([]byte, error) {
	id := value.(uuid.UUID)
	return append(to, id[:]...), nil
}

// encodeUUIDOrNull is what a statement's nullable parameter takes: nil is NULL.
type encodeUUIDOrNull struct{}

func (encodeUUIDOrNull) Encode(value any, to []byte) ([]byte, error) {
	id := value.(*uuid.UUID)
	if id == nil {
		return nil, nil
	}
	return append(to, id[:]...), nil
}

type scanUUID struct{}

func (scanUUID) Scan(from []byte, to any) error {
	id := to.(*uuid.UUID)
	if from == nil {
		return errors.New("cannot scan NULL into a uuid.UUID")
	}
	if len(from) != len(id) {
		return fmt.Errorf("a uuid has %d bytes, not %d", len(id), len(from))
	}
	copy(id[:], from)
	return nil
}
