package idempotency

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"
)

// secrets are derived from a key and its user by HKDF (RFC 5869). Without the key, nobody can recognize the request or
// read the response. That is as safe as the key is hard to guess; the contract asks for a random one.
type secrets struct {
	digest         []byte // finds the row
	fingerprinting []byte // key of the request's HMAC-SHA256
	sealing        []byte // key of the response's AES-256-GCM
	filter         string // of the token; part of the fingerprint
}

const secretSize = 32 // bytes

func (k key) secrets() (secrets, error) {
	salt := slices.Concat(k.Account[:], k.User[:])
	if k.Token != uuid.Nil {
		salt = append(salt, k.Token[:]...)
	}
	all, err := hkdf.Key(sha256.New, []byte(k.name), salt, "itemcast idempotency key", 3*secretSize)
	if err != nil {
		return secrets{}, fmt.Errorf("derive secrets from the idempotency key: %w", err)
	}
	return secrets{
		digest: all[:secretSize], fingerprinting: all[secretSize : 2*secretSize], sealing: all[2*secretSize:],
		filter: k.Filter,
	}, nil
}

// fingerprint identifies a request: the HMAC of its method, path, query, body and the token's filter, each preceded by
// its length.
func (s secrets) fingerprint(r *http.Request, body []byte) []byte {
	hash := hmac.New(sha256.New, s.fingerprinting)
	parts := [][]byte{[]byte(r.Method), []byte(r.URL.EscapedPath()), []byte(r.URL.RawQuery), body}
	if s.filter != "" {
		parts = append(parts, []byte(s.filter))
	}
	for _, part := range parts {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	return hash.Sum(nil)
}

func (s secrets) seal(plain []byte) ([]byte, error) {
	aead, err := s.aead()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

func (s secrets) open(sealed []byte) ([]byte, error) {
	aead, err := s.aead()
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, sealed, nil)
}

func (s secrets) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.sealing)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
