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
)

// secrets are derived from a key and its user by HKDF (RFC 5869). Only who has the key can tell what was asked under it, and read what was
// answered; that is as good as the key is hard to guess, and the contract asks for a random one.
type secrets struct {
	digest   []byte // which row is the key's
	printing []byte // for the HMAC-SHA256 of a request
	sealing  []byte // for the AES-256-GCM of its answer
}

const secretSize = 32

func (k key) secrets() (secrets, error) {
	salt := slices.Concat(k.account[:], k.user[:])
	all, err := hkdf.Key(sha256.New, []byte(k.name), salt, "itemcast idempotency key", 3*secretSize)
	if err != nil {
		return secrets{}, fmt.Errorf("derive secrets from an idempotency key: %w", err)
	}
	return secrets{digest: all[:secretSize], printing: all[secretSize : 2*secretSize], sealing: all[2*secretSize:]}, nil
}

// fingerprint tells requests apart: an HMAC over method, path, query and body, each with its length before it.
func (s secrets) fingerprint(r *http.Request, body []byte) []byte {
	hash := hmac.New(sha256.New, s.printing)
	for _, part := range [][]byte{[]byte(r.Method), []byte(r.URL.EscapedPath()), []byte(r.URL.RawQuery), body} {
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
