package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"runtime"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"bedplate-my-thing/pb/plugin"
)

// What is the same for every kind of plugin: the line on stdin, who we are, how an ask ends, exit codes. You need not
// change it.

const (
	doNotRetry = 78       // exit code
	largest    = 16 << 20 // bytes of a message, as the contract says
)

// failure is how an ask ends that is not done and for which we have a word.
type failure struct {
	code     plugin.Code
	text     string
	problems []*plugin.Problem
}

func (f *failure) Error() string { return f.text }

// invalid: settings or an address can't be right; never tried again. where: Pointer "/host", or Tag.
func invalid(text string, where *plugin.Problem) error {
	where.Text = text
	return &failure{plugin.Code_CODE_INVALID, text, []*plugin.Problem{where}}
}

// parse reads a component's settings. One of another type is invalid, with its place.
func parse(config []byte, into any) error {
	err := json.Unmarshal(config, into)
	var of *json.UnmarshalTypeError
	if errors.As(err, &of) {
		pointer := "/" + strings.ToLower(strings.ReplaceAll(of.Field, ".", "/"))
		return invalid("it can't be a "+of.Value, &plugin.Problem{Pointer: pointer})
	}
	return err
}

// refused: the other side said no to this tag or command alone.
func refused(text string) error { return &failure{code: plugin.Code_CODE_REFUSED, text: text} }

func unsupported(text string) error {
	return &failure{code: plugin.Code_CODE_UNSUPPORTED, text: text}
}

// ended is the head of an answer. otherwise: what an error means that is no failure.
func ended(id uint64, err error, otherwise plugin.Code) *plugin.Answer {
	answer := &plugin.Answer{Id: id, Code: plugin.Code_CODE_OK}
	var known *failure
	if errors.As(err, &known) {
		answer.Code, answer.Text, answer.Problems = known.code, known.text, known.problems
	} else if err != nil {
		answer.Code, answer.Text = otherwise, err.Error()
	}
	return answer
}

// start is the line of JSON on stdin. A token says who we are; elsewhere, with placement: remote, a certificate does.
type start struct {
	Host, Token string
	TLS         *struct{ CA, Cert, Key string } // files
}

func (s start) credentials() (credentials.TransportCredentials, error) {
	if s.TLS == nil {
		return insecure.NewCredentials(), nil
	}
	mine, err := tls.LoadX509KeyPair(s.TLS.Cert, s.TLS.Key)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(s.TLS.CA)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	return credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{mine}, RootCAs: trusted}), err
}

// dial is the way to the kernel, and what must be said there first.
func (s start) dial() (*grpc.ClientConn, *plugin.Hello, error) {
	credentials, err := s.credentials()
	if err != nil {
		return nil, nil, err
	}
	size := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largest))
	conn, err := grpc.NewClient(s.Host, grpc.WithTransportCredentials(credentials), size)
	return conn, &plugin.Hello{Token: s.Token, Plugin: "bedplate-my-thing", Version: "0.1.0", Runtime: runtime.Version()}, err
}

// The kernel says on stdin where it is, and keeps stdin open as long as it lives.
func main() {
	var told start
	stdin := bufio.NewReader(os.Stdin)
	line, err := stdin.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &told)
	}
	if err != nil {
		log.Fatal("the first line of stdin must be that of a kernel: ", err)
	}
	go func() {
		io.Copy(io.Discard, stdin)
		os.Exit(0) // the kernel is gone
	}()
	switch err := attach(told); {
	case err == io.EOF:
	case status.Code(err) == codes.Unauthenticated && told.TLS == nil:
		log.Print(err)
		os.Exit(doNotRetry)
	default:
		log.Fatal(err)
	}
}
