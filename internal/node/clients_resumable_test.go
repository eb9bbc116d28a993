package node_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
	"itemcast/internal/soak"
)

const resumable = "upload-ticket/node/resumable.mjs"

// uploadProfile makes a workflow profile that takes uploads.
func uploadProfile(t *testing.T, c *nodetest.Client) (profile, secret string) {
	t.Helper()
	profile = c.Call(http.MethodPost, "/api/v1/workflow-profiles", `{"name":"Inbox","uploads":{"enabled":true}}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	secret = c.Call(http.MethodPost, "/api/v1/workflow-profiles/"+profile+"/rotate-secret", `{"secret":"uploads"}`).
		WantStatus(t, http.StatusOK).Field(t, "secret")
	return profile, secret
}

// newClip writes a file that looks like an MP4 of a size.
func newClip(t *testing.T, size int) (path string, sum [sha256.Size]byte) {
	t.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content)
	copy(content, "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42")
	path = filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, sha256.Sum256(content)
}

// wantUploaded checks what the example prints: an item, whose source has the same bytes.
func wantUploaded(t *testing.T, c *nodetest.Client, out []byte, sum [sha256.Size]byte) (item string) {
	t.Helper()
	var printed struct{ Item string }
	if err := json.Unmarshal(out, &printed); err != nil || printed.Item == "" {
		t.Fatalf("the client prints %q", out)
	}
	if sumOfSource(t, c, printed.Item) != sum {
		t.Error("the item has other bytes than the file")
	}
	return printed.Item
}

// sumOfSource returns the SHA-256 of the only asset of an item.
func sumOfSource(t *testing.T, c *nodetest.Client, item string) [sha256.Size]byte {
	t.Helper()
	var document struct{ Assets []struct{ URL string } }
	body := c.Call(http.MethodGet, "/api/v1/items/"+item, "").WantStatus(t, http.StatusOK).Body
	if err := json.Unmarshal(body, &document); err != nil || len(document.Assets) != 1 {
		t.Fatalf("the item is %s", body)
	}
	_, path, _ := strings.Cut(document.Assets[0].URL, "/media/")
	return sha256.Sum256(c.Call(http.MethodGet, "/media/"+path, "").WantStatus(t, http.StatusOK).Body)
}

// tus-js-client, unmodified: in one piece, in parts at once, twice, and against what it must be told.
func TestClients_TusJSClientUploads(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile, secret := uploadProfile(t, n.Client)
	run := interpreter(t, resumable)
	path, sum := newClip(t, 3<<20)
	state := filepath.Join(t.TempDir(), "uploads.json")
	upload := func(args ...string) *exec.Cmd {
		return exec.CommandContext(t.Context(), run[0], append(run[1:], args...)...)
	}
	for _, parts := range []string{"1", "3"} {
		out, err := upload(n.URL, profile, secret, path, state, parts).Output()
		if err != nil {
			t.Fatalf("in %s: %v", parts, err)
		}
		wantUploaded(t, n.Client, out, sum)
	}
	nodetest.Eventually(t, "the parts are deleted", func() bool {
		var left int
		err := n.Pool.QueryRow(t.Context(), "SELECT count(*) FROM upload WHERE segments <> '{}' OR state = 'receiving'").Scan(&left)
		return err == nil && left == 0
	})
	text := filepath.Join(t.TempDir(), "a.bin")
	if err := os.WriteFile(text, bytes.Repeat([]byte{0xfe, 0x01}, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	wantEnding(t, upload(n.URL, profile, secret, text, state), "answers 415: The first bytes of the file")
	wantEnding(t, upload(n.URL, profile, "icu_ANOTHER", path, state), "answers 401: The signature of the ticket does not match")
	wantEnding(t, upload(n.URL, profile, secret, path+".missing", state), "annot read")
	wantEnding(t, upload(n.URL), "usage: ")
}

// The client and the servers are killed while a file is sent. Two nodes share the storage; a client that is started
// again resumes at either. What arrives has the same SHA-256, in one item.
func TestClients_AnUploadSurvivesKilledClientsAndServers(t *testing.T) {
	t.Parallel()
	size := soak.Times(40<<20, 200<<20)
	postgres := dbtest.Cluster(t, map[string]string{"synchronous_commit": "on"})
	address := porttest.Reserve(t)
	environment := []string{"ITEMCAST_DATABASE_URL=" + postgres.URL(), "ITEMCAST_PUBLIC_URL=http://" + address,
		"ITEMCAST_ADMIN_EMAIL=" + nodetest.AdminEmail, "ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword,
		"ITEMCAST_STORAGE_URL=file://" + t.TempDir()}
	var nodes [2]crashNode
	for k := range nodes {
		nodes[k].start(t, environment)
	}
	balancer := newBalancer(t, address, &nodes)
	c := nodetest.Connect(t, "http://"+address)
	profile, secret := uploadProfile(t, c)
	path, sum := newClip(t, size)
	state := filepath.Join(t.TempDir(), "uploads.json")
	run := interpreter(t, resumable)
	start := func() *client { return startClient(t, run, c.URL, profile, secret, path, state) }

	kills := soak.Times(3, 12)
	step := int64(size / (kills + 2))
	client := start()
	for k := range kills {
		balancer.passAndHold(t, step)
		switch k % 3 {
		case 0:
			t.Logf("node %d is killed", k/3%2)
			nodes[k/3%2].Kill()
			nodes[k/3%2].start(t, environment)
		case 1:
			t.Log("the client is killed")
			client.kill()
			client = start()
		default:
			t.Log("the client and both nodes are killed")
			client.kill()
			for i := range nodes {
				nodes[i].Kill()
				nodes[i].start(t, environment)
			}
			client = start()
		}
	}
	balancer.release()
	wantUploaded(t, c, client.wait(t), sum)
	if sent := balancer.sent.Load(); sent > int64(size)*2 {
		t.Errorf("%d bytes were sent for a file of %d: it did not resume", sent, size)
	}
	var items struct{ Count int }
	body := c.Call(http.MethodGet, "/api/v1/items?count=true", "").WantStatus(t, http.StatusOK).Body
	if err := json.Unmarshal(body, &items); err != nil || items.Count != 1 {
		t.Errorf("there are %d items", items.Count)
	}
}

// client is the example, running.
type client struct {
	command *exec.Cmd
	out     bytes.Buffer
	errs    bytes.Buffer
	ended   chan error
}

func startClient(t *testing.T, run []string, args ...string) *client {
	t.Helper()
	c := &client{command: exec.CommandContext(t.Context(), run[0], append(run[1:], args...)...), ended: make(chan error, 1)}
	c.command.Stdout, c.command.Stderr = &c.out, &c.errs
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.command.Wait() }()
	return c
}

func (c *client) kill() {
	_ = c.command.Process.Kill()
	<-c.ended
}

func (c *client) wait(t *testing.T) []byte {
	t.Helper()
	if err := nodetest.Next(t, c.ended); err != nil {
		t.Fatalf("the client ends with %v: %s", err, c.errs.String())
	}
	return c.out.Bytes()
}

// balancer passes connections on to the nodes in turn, or to the one that lives. It holds what clients send at a limit.
type balancer struct {
	nodes *[2]crashNode
	sent  atomic.Int64 // bytes of clients
	next  atomic.Int64
	mu    sync.Mutex
	more  *sync.Cond
	limit int64
	held  chan struct{} // has a value when the limit holds a client
}

func newBalancer(t *testing.T, address string, nodes *[2]crashNode) *balancer {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{nodes: nodes, limit: math.MaxInt64, held: make(chan struct{}, 1)}
	b.more = sync.NewCond(&b.mu)
	t.Cleanup(func() { listener.Close(); b.release() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return b
}

func (b *balancer) serve(conn net.Conn) {
	defer conn.Close()
	for range 2 {
		at := strings.TrimPrefix(b.nodes[b.next.Add(1)%2].url(), "http://")
		node, err := net.Dial("tcp", at)
		if err != nil {
			continue
		}
		defer node.Close()
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, node)
		}()
		_, _ = io.Copy(&metered{b, node}, conn)
		return
	}
}

// metered counts and holds what a client sends.
type metered struct {
	b  *balancer
	to io.Writer
}

func (m *metered) Write(p []byte) (int, error) {
	b := m.b
	b.mu.Lock()
	for b.sent.Load() >= b.limit {
		select {
		case b.held <- struct{}{}:
		default:
		}
		b.more.Wait()
	}
	b.sent.Add(int64(len(p)))
	b.mu.Unlock()
	return m.to.Write(p)
}

// passAndHold lets clients send some bytes more, and waits until they want to send others.
func (b *balancer) passAndHold(t *testing.T, bytes int64) {
	t.Helper()
	b.mu.Lock()
	select {
	case <-b.held:
	default:
	}
	b.limit = b.sent.Load() + bytes
	b.more.Broadcast()
	b.mu.Unlock()
	nodetest.Next(t, b.held)
}

// release holds nobody any more.
func (b *balancer) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = math.MaxInt64
	b.more.Broadcast()
}
