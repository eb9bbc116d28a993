package workflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	whatwg "github.com/nlnwa/whatwg-url/url"

	"itemcast/internal/mergepatch"
	"itemcast/internal/origin"
	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

// Uploads are what a profile allows to tickets, with which browsers and devices upload files without credentials. Its
// upload secret signs the tickets. A change of them is no new version.
type Uploads struct {
	Enabled      bool     `json:"enabled"`
	Origins      []string `json:"origins"`       // of the pages that may upload, as browsers send them
	Redirects    []string `json:"redirects"`     // URLs to which a form may lead after an upload
	MaxSize      *int64   `json:"max_size"`      // bytes of an upload; nil: only the server's limit
	ContentTypes []string `json:"content_types"` // such as video/*; empty: all
	QuotaBytes   *int64   `json:"quota_bytes"`   // of all files of the profile's items, and of uploads; nil: no limit
	QuotaMinutes *int64   `json:"quota_minutes"` // of the videos and sounds of the profile's items; nil: no limit
	ParallelJobs *int32   `json:"parallel_jobs"` // of the profile's items processed at once; nil: no limit
	Publish      bool     `json:"publish"`       // whether a ticket's item may be public or unlisted
}

const (
	maxRedirects = 20
	maxRedirect  = 2000 // characters

	maxQuotaMinutes = 1_000_000_000 // some 1,900 years
	maxParallelJobs = 1000
)

// patchedBy returns the settings with a merge patch applied. Error: INVALID_INPUT.
func (u Uploads) patchedBy(patch json.RawMessage) (Uploads, error) {
	after, _, err := mergepatch.Merge[Uploads]{}.Apply(u, patch)
	return after, err
}

// decodeUploads decodes the column of a profile. Settings that were never changed are missing.
func decodeUploads(raw json.RawMessage) (u Uploads, err error) {
	u = Uploads{Origins: []string{}, Redirects: []string{}, ContentTypes: []string{}}
	if err := json.Unmarshal(raw, &u); err != nil {
		return u, fmt.Errorf("decode the uploads of a workflow profile: %w", err)
	}
	return u, nil
}

func encodeUploads(u Uploads) (json.RawMessage, error) {
	raw, err := json.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("encode uploads: %w", err)
	}
	return raw, nil
}

// checkUploads adds the faults of a profile's settings of uploads, and brings them into their normal form.
func (f *findings) checkUploads(u *Uploads) {
	var faults problem.Faults
	u.Origins = origin.Normalize(u.Origins, "#/uploads/origins", &faults)
	u.Redirects = checkedTexts(u.Redirects, "#/uploads/redirects", maxRedirects, faultOfRedirect, &faults)
	u.ContentTypes = checkedTexts(u.ContentTypes, "#/uploads/content_types", ticket.MaxContentTypes,
		ticket.FaultOfContentType, &faults)
	faults.At("#/uploads/max_size", faultOfBytes(u.MaxSize))
	faults.At("#/uploads/quota_bytes", faultOfBytes(u.QuotaBytes))
	faults.At("#/uploads/quota_minutes", faultOfNumber(u.QuotaMinutes, maxQuotaMinutes))
	faults.At("#/uploads/parallel_jobs", faultOfNumber(u.ParallelJobs, maxParallelJobs))
	f.add(faults)
}

// checkedTexts returns the texts of a list, each once, and adds what is wrong with them.
func checkedTexts(texts []string, pointer string, most int, faultOf func(string) string,
	faults *problem.Faults) []string {
	if len(texts) > most {
		faults.At(pointer, fmt.Sprintf("must have at most %d entries", most))
		return texts
	}
	for i, text := range texts {
		faults.At(fmt.Sprintf("%s/%d", pointer, i), faultOf(text))
	}
	return unique(texts)
}

func faultOfBytes(size *int64) string {
	if size != nil && (*size < 1 || *size > ticket.MaxSize) {
		return fmt.Sprintf("must be from 1 to %d bytes, or null for no limit", int64(ticket.MaxSize))
	}
	return ""
}

func faultOfNumber[N int32 | int64](n *N, most N) string {
	if n != nil && (*n < 1 || *n > most) {
		return fmt.Sprintf("must be from 1 to %d, or null for no limit", most)
	}
	return ""
}

// faultOfRedirect returns what is wrong with a URL that becomes the header Location as it is, with a parameter at its
// end.
func faultOfRedirect(raw string) string {
	unsafe := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }
	switch {
	case utf8.RuneCountInString(raw) > maxRedirect:
		return fmt.Sprintf("must have at most %d characters", maxRedirect)
	case !strings.HasPrefix(raw, "https://") && !strings.HasPrefix(raw, "http://"):
		return "must begin with http:// or https://"
	case strings.ContainsFunc(raw, unsafe):
		return "must have only ASCII characters that URLs have; write others as %20 and the like"
	case strings.Contains(raw, "#"):
		return "must not have a fragment"
	}
	u, err := whatwg.Parse(raw)
	switch {
	case err != nil || u.Host() == "":
		return "must be a URL with a host"
	case u.Username() != "" || u.Password() != "":
		return "must not contain credentials"
	}
	return ""
}
