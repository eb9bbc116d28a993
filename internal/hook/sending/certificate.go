package sending

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// untrusted describes a failure of TLS or a certificate; empty: there was none.
func (a attempt) untrusted(err error) string {
	if words := a.certificate(err); words != "" {
		return words
	}
	record, noTLS := errors.AsType[tls.RecordHeaderError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case noTLS && string(record.RecordHeader[:]) == "HTTP/":
		return fmt.Sprintf("%s speaks HTTP without TLS; the URL of the hook must begin with http://", a)
	case noTLS:
		return fmt.Sprintf("%s does not speak TLS", a)
	case isOp && op.Op == "remote error": // an alert (RFC 8446 §6)
		return fmt.Sprintf("%s aborted the TLS handshake: %s", a, strings.TrimPrefix(op.Err.Error(), "tls: "))
	case a.stage == shakingHands:
		return fmt.Sprintf("The TLS handshake with %s failed: %s", a, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return ""
}

// certificate describes what crypto/x509 finds wrong with a certificate; empty: nothing.
func (a attempt) certificate(err error) string {
	failed, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return ""
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return a.invalid(invalid)
	}
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return a.misnamed(wrong.Certificate)
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch chain := failed.UnverifiedCertificates; {
	case unknown && len(chain) == 1 && selfSigned(chain[0]):
		return fmt.Sprintf("The certificate of %s is self-signed, and so not trusted", a.host)
	case unknown && len(chain) == 1:
		return fmt.Sprintf("The certificate of %s is by an authority that is not trusted, "+
			"or the server does not send the intermediate certificates", a.host)
	case unknown:
		return fmt.Sprintf("The certificate of %s is by an authority that is not trusted", a.host)
	default:
		return fmt.Sprintf("The certificate of %s is not valid: %s", a.host,
			strings.TrimPrefix(failed.Err.Error(), "x509: "))
	}
}

func (a attempt) invalid(err x509.CertificateInvalidError) string {
	const day = time.DateOnly
	switch {
	case err.Reason != x509.Expired || err.Cert == nil:
		return fmt.Sprintf("The certificate of %s is not valid: %s", a.host, strings.TrimPrefix(err.Error(), "x509: "))
	case time.Now().Before(err.Cert.NotBefore):
		return fmt.Sprintf("The certificate of %s is not valid before %s", a.host, err.Cert.NotBefore.UTC().Format(day))
	default:
		return fmt.Sprintf("The certificate of %s expired on %s", a.host, err.Cert.NotAfter.UTC().Format(day))
	}
}

// maxNames bounds the names of a certificate that a text shows.
const maxNames = 3

func (a attempt) misnamed(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, address := range c.IPAddresses {
		names = append(names, address.String())
	}
	switch {
	case len(names) == 0: // the subject's common name does not count (RFC 9525 §2)
		return fmt.Sprintf("The certificate of %s names no host", a.host)
	case len(names) > maxNames:
		names = append(names[:maxNames], fmt.Sprintf("%d more", len(names)-maxNames))
	}
	return fmt.Sprintf("The certificate of %s is for other hosts: %s", a.host, strings.Join(names, ", "))
}

func selfSigned(c *x509.Certificate) bool {
	return slices.Equal(c.RawIssuer, c.RawSubject)
}
