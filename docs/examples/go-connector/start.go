package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const doNotRetry = 78 // exit code

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
