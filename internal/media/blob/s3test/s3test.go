// Package s3test runs an S3 server for tests: versitygw over a folder, which scripts/setup-test builds from the module
// proxy.
package s3test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"itemcast/internal/porttest"
)

const (
	accessKey = "itemcast"
	secretKey = "a secret for tests"
	region    = "us-east-1"
	bucket    = "media"
	timeout   = time.Minute
)

// Server is an S3 server with one bucket.
type Server struct {
	URL    string     // of the bucket, for blob.Open
	Client *s3.Client // of the server's owner
	Bucket string     // its name

	t       testing.TB
	address string
	dir     string
	program string
	command *exec.Cmd
}

// setCredentials gives the whole process the credentials, as the environment of a server has them.
var setCredentials = sync.OnceFunc(func() {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull} {
		_ = os.Setenv(name, value)
	}
})

// Start starts a server. It ends with the test. Without the program the test is skipped, but not in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := find()
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("%v: run scripts/setup-test", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	setCredentials()
	s := &Server{t: t, Bucket: bucket, program: program, address: porttest.Reserve(t), dir: t.TempDir()}
	for _, name := range []string{"data", "attributes"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := "http://" + s.address
	s.Client = s3.New(s3.Options{Region: region, BaseEndpoint: &endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")})
	query := url.Values{"region": {region}, "endpoint": {endpoint}, "use_path_style": {"true"}}
	s.URL = "s3://" + bucket + "?" + query.Encode()
	s.Restart()
	t.Cleanup(s.Stop)
	if _, err := s.Client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Restart starts the server again after Stop, with what it had.
func (s *Server) Restart() {
	s.t.Helper()
	s.command = exec.Command(s.program, "--access", accessKey, "--secret", secretKey, "--region", region, "--port",
		s.address, "--quiet", "posix", "--sidecar", filepath.Join(s.dir, "attributes"), filepath.Join(s.dir, "data"))
	s.command.Stderr = s.t.Output()
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(timeout); ; {
		conn, err := net.DialTimeout("tcp", s.address, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the S3 server does not listen: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Stop kills the server.
func (s *Server) Stop() {
	if s.command != nil {
		_ = s.command.Process.Kill()
		_ = s.command.Wait()
		s.command = nil
	}
}

// Objects returns how many objects the bucket has, and how many uploads that have not ended.
func (s *Server) Objects(ctx context.Context) (objects, uploads int) {
	s.t.Helper()
	listed, err := s.Client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		s.t.Fatal(err)
	}
	open, err := s.Client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(listed.Contents), len(open.Uploads)
}

// find returns the program: of the tools of the repository, or of the PATH.
func find() (string, error) {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			program := filepath.Join(dir, ".tools", "bin", "versitygw")
			if _, err := os.Stat(program); err == nil {
				return program, nil
			}
		}
		dir = filepath.Dir(dir)
	}
	if program, err := exec.LookPath("versitygw"); err == nil {
		return program, nil
	}
	return "", errors.New("there is no versitygw")
}
