// Package dnstest is a name server for tests: each test chooses the answers.
package dnstest

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// From RFC 1035 (§4.1.1, §3.2) and RFC 3596.
const (
	headerSize = 12
	response   = 1 << 15
	recursion  = 1 << 7 // available: an empty answer is final
	nameError  = 3      // RCODE: no such name
	typeA      = 1
	typeAAAA   = 28
	classIN    = 1
)

// Resolver returns a resolver whose name server runs until the test ends. answer returns the addresses of a name, and
// whether the name exists. The name is in lower case and has no dot at its end. answer is called at least twice for a
// name: for its IPv4 and its IPv6 addresses.
func Resolver(t testing.TB, answer func(name string, ipv6 bool) (addresses []netip.Addr, known bool)) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go serve(server, answer)
	return resolverOf(server.LocalAddr())
}

// Silent returns a resolver whose name server never answers.
func Silent(t testing.TB) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return resolverOf(server.LocalAddr())
}

func resolverOf(server net.Addr) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, server.Network(), server.String())
	}}
}

func serve(server net.PacketConn, answer func(string, bool) ([]netip.Addr, bool)) {
	buffer := make([]byte, 1500)
	for {
		n, from, err := server.ReadFrom(buffer)
		if err != nil {
			return // closed
		}
		if n > headerSize {
			_, _ = server.WriteTo(reply(buffer[:n], answer), from)
		}
	}
}

// reply answers a message with one question. Resolvers send no others.
func reply(query []byte, answer func(string, bool) ([]netip.Addr, bool)) []byte {
	var labels []string
	at := headerSize
	for query[at] != 0 {
		size := int(query[at])
		labels = append(labels, string(query[at+1:at+1+size]))
		at += 1 + size
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	end := at + 5 // the root, type and class
	addresses, known := answer(strings.ToLower(strings.Join(labels, ".")), kind == typeAAAA)

	message := append([]byte(nil), query[:end]...)
	flags := uint16(response|recursion) | binary.BigEndian.Uint16(query[2:])
	if !known {
		flags |= nameError
	}
	var answers uint16
	for _, a := range addresses {
		if (kind == typeA) != a.Is4() {
			continue
		}
		answers++
		message = append(message, 0xc0, headerSize) // the name of the question
		message = binary.BigEndian.AppendUint16(message, kind)
		message = binary.BigEndian.AppendUint16(message, classIN)
		message = binary.BigEndian.AppendUint32(message, 0) // TTL
		message = binary.BigEndian.AppendUint16(message, uint16(len(a.AsSlice())))
		message = append(message, a.AsSlice()...)
	}
	binary.BigEndian.PutUint16(message[2:], flags)
	binary.BigEndian.PutUint16(message[6:], answers)
	binary.BigEndian.PutUint16(message[8:], 0)  // authorities
	binary.BigEndian.PutUint16(message[10:], 0) // additional records
	return message
}
