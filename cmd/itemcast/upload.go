package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/upload/outgoing"
	"itemcast/internal/upload/tusclient"
)

const (
	// exitAway is EX_TEMPFAIL of sysexits.h: the same command may succeed later.
	exitAway = 75

	minChunkSize = 256 << 10 // bytes
)

type uploadCommand struct {
	Files  []string  `arg:"" name:"file" help:"Files to upload, each of which becomes an item; with --item, an asset."`
	Server publicURL `help:"URL of the server. Default: ITEMCAST_PUBLIC_URL, else http://127.0.0.1:8080." placeholder:"URL"`

	Token           string `help:"Access token with which to sign in." placeholder:"ict_…"`
	User            string `help:"E-mail address of the user as whom to sign in." placeholder:"EMAIL"`
	Password        string `help:"The user's password. Without it, it is read from the terminal or standard input."`
	TicketInfo      string `help:"The ticket for one file, in place of a sign-in: its itemcast-upload-info." placeholder:"TEXT"`
	TicketSignature string `help:"The ticket's itemcast-upload-signature." placeholder:"HEX"`

	Item     uuid.UUID `help:"Item that gets the files as assets. Without it, each file becomes an item." placeholder:"ID"`
	Kind     string    `help:"With --item, what the files are: ${enum}." enum:"source,rendition,audio,subtitle" default:"source"`
	Language string    `help:"Language of a new item, or with --item of the asset, such as de or pt-BR." placeholder:"TAG"`

	Name    string    `help:"Name of the new item. Default: that of the file."`
	Privacy string    `help:"Privacy of the new items: ${enum}. All but private need the permission items.publish." enum:"private,unlisted,public" default:"private"`
	Tags    []string  `help:"Tags of the new items. Separate tags with commas, or repeat the flag; write a comma in a tag as \\,"`
	Profile string    `help:"Workflow profile of the new items, by name or id. Default: yours, else the account's." placeholder:"NAME"`
	Fields  itemInput `help:"Other fields of the new items, as a JSON object that POST /items takes." placeholder:"JSON"`

	Again     bool          `help:"Upload files again that have been uploaded, and begin interrupted uploads anew."`
	JSON      bool          `help:"Print a line of JSON for each file when it is done, for programs; everything else goes to standard error."`
	RetryFor  time.Duration `help:"Give up after this time without progress." default:"10m"`
	ChunkSize byteSize      `help:"Size of a request. A failure costs at most this. Proxies may limit it." default:"16MiB"`
	State     string        `help:"Folder of the state by which uploads are resumed. Default: itemcast/uploads in $XDG_STATE_HOME, or in ~/.local/state." type:"path" placeholder:"DIR"`
}

// Help is printed by --help.
func (*uploadCommand) Help() string {
	return `Each file becomes an item with that file as its source, and the workflow of its profile starts. ` +
		`Without --profile and a default profile nothing processes the item: it has no picture and no length. ` +
		`With --item, the files become assets of an item that exists. The server decides the type of a file by its content.

Sign in with an access token or as a user, or bring a ticket. A token needs the permission items.create; ` +
		`items.edit for --item; items.view for --profile by name, and to ask about files that were uploaded before. ` +
		`Variables keep secrets out of the list of processes: ` +
		`ITEMCAST_UPLOAD_TOKEN, ITEMCAST_UPLOAD_PASSWORD.

Uploads are resumable (tus 1.0). A cut connection or a server that restarts costs at most a chunk. If the command is ` +
		`interrupted or killed, run it again: it resumes at the server's offset, if the file has not changed since. A file ` +
		`that has been uploaded with the same flags is not uploaded again while its item, or with --item its asset, is there.

Examples:

  export ITEMCAST_UPLOAD_SERVER=https://media.example.com ITEMCAST_UPLOAD_TOKEN=ict_…
  itemcast upload *.mp4 --profile=Inbox --tags=holiday        each file becomes an item
  itemcast upload film.de.srt --item=ID --kind=subtitle --language=de
  itemcast upload film.mp4 --item=ID                          replaces the item's source
  itemcast upload film.mp4 --fields='{"metadata": {"year": 1927}}'
  itemcast upload film.mp4 --json | jq -r .item_id            use it in a script

Exit codes:

  0    every file is uploaded, by this run or an earlier one
  3    some files could not be read or were refused; the others are uploaded
  75   the server was away for --retry-for; run the command again to resume
  130  interrupted; run the command again to resume
  1    failed`
}

// Validate checks flags that depend on each other. Kong calls it.
func (u *uploadCommand) Validate() error {
	ticket := u.TicketInfo != "" || u.TicketSignature != ""
	forNew := u.firstForNew()
	switch {
	case u.Token != "" && u.User != "", ticket && (u.Token != "" || u.User != ""):
		return errors.New("sign in with --token, or with --user, or bring a ticket: choose one")
	case u.Token == "" && u.User == "" && !ticket:
		return errors.New("sign in with --token (ITEMCAST_UPLOAD_TOKEN) or --user (ITEMCAST_UPLOAD_USER), or bring a " +
			"ticket with --ticket-info and --ticket-signature")
	case ticket && (u.TicketInfo == "" || u.TicketSignature == ""):
		return errors.New("a ticket needs both --ticket-info and --ticket-signature")
	case ticket && len(u.Files) > 1:
		return errors.New("a ticket makes one upload: name one file")
	case ticket && (u.Item != uuid.Nil || u.Kind != "source" || u.Language != "" || forNew != ""):
		return errors.New("the ticket decides what becomes of the file: leave out the flags about the item")
	case u.Item != uuid.Nil && forNew != "":
		return fmt.Errorf("%s is for new items: leave it out, or --item", forNew)
	case u.Item == uuid.Nil && u.Kind != "source":
		return fmt.Errorf("--kind=%s needs the item that gets the file: add --item", u.Kind)
	case u.Name != "" && len(u.Files) > 1:
		return errors.New("--name is for one file: leave it out, so that each item gets the name of its file")
	case u.ChunkSize < minChunkSize:
		return errors.New("--chunk-size must be 256KiB or more")
	case u.RetryFor < 0:
		return errors.New("--retry-for must be 0s or more")
	}
	return nil
}

// firstForNew returns the first flag that only a new item can have.
func (u *uploadCommand) firstForNew() string {
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"--name", u.Name != ""}, {"--privacy", u.Privacy != "private"}, {"--tags", len(u.Tags) > 0},
		{"--profile", u.Profile != ""}, {"--fields", u.Fields != nil},
	} {
		if flag.set {
			return flag.name
		}
	}
	return ""
}

// Run uploads the files, one after the other. It opens no database.
func (u *uploadCommand) Run(ctx context.Context, c *console, d *database) error {
	server := cmp.Or(string(u.Server), string(d.PublicURL), "http://"+defaultAddr)
	header, err := u.credentials(c)
	if err != nil {
		return err
	}
	metadata, err := u.metadata(ctx, server, header)
	if err != nil {
		return err
	}
	sender := &outgoing.Sender{Folder: u.stateFolder(c), Again: u.Again, Client: &tusclient.Client{
		Endpoint: server + "/api/v1/uploads/tus/", Header: header, ChunkSize: int64(u.ChunkSize),
		RetryFor: max(u.RetryFor, 1)}, Present: u.present(server, header)}
	report := &uploadReport{console: c, server: server, json: u.JSON, total: len(u.Files)}
	for _, path := range u.Files {
		one := maps.Clone(metadata)
		one["filename"] = filepath.Base(path)
		file := report.begin(path)
		file.Metadata, file.Key = one, u.TicketInfo
		sent, err := sender.Send(ctx, file)
		if report.end(path, sent, err) {
			break
		}
	}
	return report.conclude(ctx)
}

// credentials returns the headers by which the upload of a file is allowed.
func (u *uploadCommand) credentials(c *console) (http.Header, error) {
	header := http.Header{"User-Agent": {"itemcast/" + version}}
	switch {
	case u.TicketInfo != "":
		header.Set("Itemcast-Upload-Info", u.TicketInfo)
		header.Set("Itemcast-Upload-Signature", u.TicketSignature)
	case u.Token != "":
		header.Set("Authorization", "Bearer "+u.Token)
	default:
		password := u.Password
		if password == "" {
			var err error
			if password, err = readPassword(c.err, "Password of "+u.User); err != nil {
				return nil, err
			}
		}
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User+":"+password)))
	}
	return header, nil
}

// metadata returns what the server is told about all files.
func (u *uploadCommand) metadata(ctx context.Context, server string, header http.Header) (map[string]string, error) {
	metadata := map[string]string{}
	switch {
	case u.TicketInfo != "":
		return metadata, nil
	case u.Item != uuid.Nil:
		metadata["item_id"], metadata["kind"] = u.Item.String(), u.Kind
		if u.Language != "" {
			metadata["language"] = u.Language
		}
		return metadata, nil
	}
	input := maps.Clone(u.Fields)
	if input == nil {
		input = itemInput{}
	}
	input.set("name", u.Name, u.Name != "")
	input.set("privacy", u.Privacy, u.Privacy != "private")
	input.set("language", u.Language, u.Language != "")
	input.set("tags", u.Tags, len(u.Tags) > 0)
	if u.Profile != "" {
		id, err := findProfile(ctx, server, header, u.Profile)
		if err != nil {
			return nil, err
		}
		input.set("workflow_profile_id", id, true)
	}
	if len(input) > 0 {
		text, err := json.Marshal(input)
		if err != nil {
			return nil, fmt.Errorf("encode the item: %w", err)
		}
		metadata["item"] = string(text)
	}
	return metadata, nil
}

// itemInput is an item input of the contract. The server checks it.
type itemInput map[string]any

// UnmarshalText parses a JSON object.
func (i *itemInput) UnmarshalText(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // metadata keep every digit
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil || fields == nil || decoder.More() {
		return errors.New(`must be a JSON object, such as {"producer": "Ufa", "metadata": {"year": 1927}}`)
	}
	*i = fields
	return nil
}

// set sets a field if its flag is set, which wins over --fields.
func (i itemInput) set(field string, value any, isSet bool) {
	if isSet {
		i[field] = value
	}
}

// stateFolder returns the folder of the state (XDG Base Directory Specification); "" if the user has no home.
func (u *uploadCommand) stateFolder(c *console) string {
	if u.State != "" {
		return u.State
	}
	base := c.getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "itemcast", "uploads")
}
