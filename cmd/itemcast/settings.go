package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// The types of settings. Kong puts the flag and the variable before and after the errors of UnmarshalText.

// publicURL is the base of absolute URLs, without a trailing slash; "" is none.
type publicURL string

// plainPath matches the paths below which Itemcast can be served: they need no escapes.
var plainPath = regexp.MustCompile(`^(/[\w~-][\w.~-]*)*/*$`)

// ownPaths are the first segments of Itemcast's addresses. A proxy may remove the path of the public URL from requests
// or not, and with one of these as its path, an address would have two meanings.
var ownPaths = map[string]bool{
	"api": true, "assets": true, "graphql": true, "login": true, "logout": true, "media": true, "reset": true,
}

// UnmarshalText parses an absolute URL. It writes the host as browsers send it in Origin: in lower case, without a
// default port.
func (p *publicURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = ""
		return nil
	}
	wrong := func(what string) error {
		return fmt.Errorf("must be a URL such as https://items.example.com; %q %s", text, what)
	}
	u, err := url.Parse(string(text))
	switch {
	case err != nil:
		return wrong("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return wrong("does not begin with https:// or http://")
	case u.Hostname() == "":
		return wrong("has no host")
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r >= 0x80 }):
		return wrong("has a host with other letters than a to z: write it as browsers send it (xn--…)")
	case u.User != nil:
		return wrong("has a user name: remove it")
	case !plainPath.MatchString(u.Path):
		return wrong("has a path that needs escapes or is not plain: use letters, digits, - and _, such as /hub")
	case ownPaths[strings.Split(strings.Trim(u.Path, "/"), "/")[0]]:
		return wrong("has a path that begins as one of Itemcast's own does: choose another, such as /hub")
	case strings.Contains(string(text), "?"):
		return wrong("has a query: remove it")
	case strings.Contains(string(text), "#"):
		return wrong("has a fragment: remove it")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return wrong("has a port that is not from 1 to 65535")
		}
	}
	defaultPort := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	u.Host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(u.Host), defaultPort), ":")
	*p = publicURL(strings.TrimRight(u.String(), "/"))
	return nil
}

// folder is a path, made absolute.
type folder string

// UnmarshalText parses a path; ~ is the user's home.
func (f *folder) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must be a folder, such as .itemcast")
	}
	*f = folder(kong.ExpandPath(string(text)))
	return nil
}

// storageURL is where files are stored; "" is the folder media of the data directory.
type storageURL string

// UnmarshalText checks the form of the URL. Package blob checks the parameters of S3.
func (s *storageURL) UnmarshalText(text []byte) error {
	wrong := func(what string) error {
		return fmt.Errorf("must be a URL such as file:///srv/media or s3://bucket?region=eu-central-1; the value %s", what)
	}
	u, err := url.Parse(string(text))
	switch {
	case len(text) == 0:
	case err != nil:
		return wrong("is no URL")
	case u.User != nil:
		return wrong("has credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead")
	case u.Scheme == "file" && (u.Host != "" || !strings.HasPrefix(u.Path, "/")):
		return wrong("has no absolute folder after file://")
	case u.Scheme == "s3" && (u.Host == "" || strings.Trim(u.Path, "/") != ""):
		return wrong("does not name a bucket alone after s3://; a folder of it is the parameter prefix")
	case u.Scheme != "file" && u.Scheme != "s3":
		return wrong("begins with neither file:// nor s3://")
	}
	*s = storageURL(text)
	return nil
}

// network is a network, or a single address.
type network struct{ netip.Prefix }

// UnmarshalText parses CIDR notation, or an address.
func (n *network) UnmarshalText(text []byte) error {
	trimmed := strings.TrimSpace(string(text))
	if address, err := netip.ParseAddr(trimmed); err == nil && address.Zone() == "" {
		n.Prefix = netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(trimmed)
	if err != nil {
		return fmt.Errorf("%q must be a network such as 10.0.0.0/8, or an address such as 10.0.0.1", trimmed)
	}
	n.Prefix = prefix.Masked()
	return nil
}

func prefixes(networks []network) []netip.Prefix {
	var all []netip.Prefix
	for _, n := range networks {
		all = append(all, n.Prefix)
	}
	return all
}

// mappers parse durations and numbers, with errors that give an example.
func mappers() []kong.Option {
	return []kong.Option{
		kong.TypeMapper(reflect.TypeFor[time.Duration](), parsing(func(text string) (any, error) {
			d, err := time.ParseDuration(text)
			if err != nil {
				return nil, fmt.Errorf("%q must be a duration with its unit, such as 720h, 90m or 30s", text)
			}
			return d, nil
		})),
		kong.TypeMapper(reflect.TypeFor[int](), parsing(func(text string) (any, error) {
			n, err := strconv.Atoi(text)
			if err != nil {
				return nil, fmt.Errorf("%q must be a whole number", text)
			}
			return n, nil
		})),
		kong.TypeMapper(reflect.TypeFor[uint16](), parsing(func(text string) (any, error) {
			n, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("%q must be a port from 0 to 65535", text)
			}
			return uint16(n), nil
		})),
	}
}

func parsing(parse func(string) (any, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		value, err := parse(text)
		if err == nil {
			target.Set(reflect.ValueOf(value))
		}
		return err
	}
}
