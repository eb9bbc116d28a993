package web

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
	"itemcast/internal/workflow"
)

// ticketsView is the panel of upload tickets: the profiles that take them, and examples for one of them.
type ticketsView struct {
	Action   string
	Profiles []ticketProfile
	Of       string // the profile of the examples
	Expires  moment
	Examples []example
}

// ticketProfile is a profile with what its tickets may do.
type ticketProfile struct {
	ID      string
	Name    string
	Enabled bool
	Terms   string
	Edit    string // address
}

// exampleLifetime is how long an example's ticket is valid: long enough to paste it, too short to be passed on.
const exampleLifetime = 10 * time.Minute

func (c *call) tickets(signed *ticketsView) (*ticketsView, error) {
	v := signed
	if v == nil {
		v = &ticketsView{}
	}
	v.Action = c.apiPath()
	profiles, _, err := c.pages.Workflows.Profiles(c.Context(), maxProfiles, "")
	if err != nil {
		return nil, err
	}
	for n := range profiles {
		p := &profiles[n]
		v.Profiles = append(v.Profiles, ticketProfile{ID: p.ID.String(), Name: p.Name, Enabled: p.Uploads.Enabled,
			Terms: c.uploadTerms(&p.Uploads), Edit: c.pages.root + "api/v1/workflow-profiles/" + p.ID.String()})
	}
	return v, nil
}

// uploadTerms describes what a profile's tickets may do, in a line.
func (c *call) uploadTerms(u *workflow.Uploads) string {
	var parts []string
	if u.MaxSize != nil {
		parts = append(parts, c.text.Get("ticket.upto", c.text.Size(*u.MaxSize)))
	}
	if len(u.ContentTypes) > 0 {
		parts = append(parts, strings.Join(u.ContentTypes, ", "))
	} else {
		parts = append(parts, c.text.Get("ticket.anytype"))
	}
	if len(u.Origins) > 0 {
		parts = append(parts, c.text.Get("ticket.from", strings.Join(u.Origins, ", ")))
	}
	return strings.Join(parts, " · ")
}

// profileOf reads the profile that a form names.
func (c *call) profileOf() (workflow.Profile, error) {
	id, err := uuid.Parse(c.value("profile"))
	if err != nil {
		return workflow.Profile{}, problem.New(problem.BadRequest, "The form names no workflow profile.")
	}
	return c.pages.Workflows.Profile(c.Context(), id)
}

// rotateUploadSecret makes a profile's upload secret, and shows it.
func (c *call) rotateUploadSecret() error {
	p, err := c.profileOf()
	if err != nil {
		return err
	}
	secret, _, err := c.pages.Workflows.RotateSecret(c.Context(), p.ID, workflow.UploadsSecret, false)
	if err != nil {
		return err
	}
	return c.writeAPI(http.StatusOK, apiView{Secret: &secretView{Of: p.Name, Secret: secret}})
}

// signTickets shows examples with tickets that are signed for this server. Each has one of its own: a ticket makes one
// upload.
func (c *call) signTickets() error {
	p, err := c.profileOf()
	if err != nil {
		return err
	}
	expires := time.Now().Add(exampleLifetime)
	var signing error
	sign := func() (info, signature string) {
		claims := ticket.Claims{Profile: p.ID, Expires: expires.Unix(), Nonce: "example-" + rand.Text()}
		info, signature, err := c.pages.Workflows.SignTicket(c.Context(), claims)
		if err != nil {
			signing = err
		}
		return info, signature
	}
	examples := ticketExamples(p.ID.String(), c.serverURL()+"/api/v1/uploads", sampleFile(p.Uploads.ContentTypes),
		sign)
	if problem.Is(signing, problem.Conflict) {
		return c.seeOther(c.apiPath()+"#tickets", notice{Key: "ticket.nosecret", Arguments: []any{p.Name}, IsProblem: true})
	}
	if signing != nil {
		return signing
	}
	return c.writeAPI(http.StatusOK, apiView{Tickets: &ticketsView{Of: p.Name, Expires: momentOf(c.text, expires),
		Examples: examples}})
}

// sampleFile is the name of a file that a profile takes, for examples.
func sampleFile(contentTypes []string) string {
	for _, t := range contentTypes {
		group, _, _ := strings.Cut(t, "/")
		if name, ok := map[string]string{"video": "film.mp4", "audio": "sound.mp3", "image": "picture.jpg",
			"text": "notes.txt"}[group]; ok {
			return name
		}
	}
	return "film.mp4"
}
