package origin

import (
	"fmt"
	"slices"
	"strings"

	"itemcast/internal/problem"
)

const everySite = "*"

// Sites returns the sites that may show a page in a frame, as the directive frame-ancestors names them (CSP3 §2.3.1):
// origins, each once, whose host may begin with "*.", or "*" alone, for every site. pointer is the place of the list.
func Sites(raw []string, pointer string, invalid *problem.Faults) []string {
	sites := []string{}
	if len(raw) > Max {
		invalid.At(pointer, fmt.Sprintf("must have at most %d", Max))
		return sites
	}
	for i, text := range raw {
		site, fault := normalSite(text)
		if site == everySite && len(raw) > 1 {
			fault = "must be alone, because it allows every site"
		}
		invalid.At(fmt.Sprintf("%s/%d", pointer, i), fault)
		if fault == "" && !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	return sites
}

const siteForm = "must be an origin such as https://example.com or https://*.example.com, or *"

func normalSite(raw string) (site, fault string) {
	if raw == everySite {
		return raw, ""
	}
	const any = "://*."
	plain := strings.Replace(raw, any, "://", 1)
	origin, fault := normal(plain)
	switch {
	case strings.Contains(plain, "*"):
		return "", siteForm
	case strings.HasPrefix(fault, form):
		return "", siteForm + strings.TrimPrefix(fault, form)
	case fault != "" || plain == raw:
		return origin, fault
	case isAddress(origin):
		return "", "must not have *. before an IP address: it has no subdomains"
	}
	return strings.Replace(origin, "://", any, 1), ""
}

// isAddress reports whether the host of an origin is an IP address.
func isAddress(origin string) bool {
	_, host, _ := strings.Cut(origin, "://")
	if strings.HasPrefix(host, "[") {
		return true
	}
	host, _, _ = strings.Cut(host, ":")
	last := host[strings.LastIndex(host, ".")+1:]
	return last != "" && strings.Trim(last, "0123456789") == ""
}
