// Package secret makes the secrets of access tokens and checks their form.
//
// A secret has 40 characters: ict_, 30 digits of base 62 with 176 random bits, and 6 digits of base 62 with the CRC-32
// (IEEE) of the 34 characters before. Scanners recognize a leaked one by its prefix, and tell it from a look-alike by
// its checksum; a mistyped one is refused without a question to the database. The database holds only the digest. A
// fast hash is enough: 176 random bits cannot be guessed. The package must not know where digests are stored.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"strings"
)

// Prefix begins every secret.
const Prefix = "ict_"

const (
	base           = 62 // 0-9, a-z, A-Z
	randomBytes    = 22
	randomDigits   = 30 // 62^30 > 2^176
	checksumDigits = 6  // 62^6 > 2^32
)

// Length is the number of characters of a secret.
const Length = len(Prefix) + randomDigits + checksumDigits

// Digest is the SHA-256 of a secret.
type Digest [sha256.Size]byte

// New makes a secret. Show it to its owner only, and once.
func New() (secret string, digest Digest) {
	random := make([]byte, randomBytes)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	body := Prefix + digits(new(big.Int).SetBytes(random), randomDigits)
	secret = body + checksum(body)
	return secret, sha256.Sum256([]byte(secret))
}

// Parse returns the digest of a secret. It reports false for a text that New cannot have made.
func Parse(text string) (Digest, bool) {
	if len(text) != Length || !strings.HasPrefix(text, Prefix) {
		return Digest{}, false
	}
	body := text[:Length-checksumDigits]
	if checksum(body) != text[len(body):] || strings.ContainsFunc(body[len(Prefix):], isNoDigit) {
		return Digest{}, false
	}
	return sha256.Sum256([]byte(text)), true
}

func checksum(body string) string {
	return digits(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(body)))), checksumDigits)
}

// digits writes a number in base 62 with a fixed number of digits.
func digits(n *big.Int, count int) string {
	text := n.Text(base)
	return strings.Repeat("0", count-len(text)) + text
}

func isNoDigit(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
