// Go's default client, and its transport where it waits for "100 Continue".
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"time"
)

func ask(name string, client *http.Client, request *http.Request, err error) {
	if err != nil {
		panic(err)
	}
	reused, continued := false, false
	trace := &httptrace.ClientTrace{
		GotConn:        func(info httptrace.GotConnInfo) { reused = info.Reused },
		Got100Continue: func() { continued = true },
	}
	answer, err := client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		panic(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %d reused=%t continued=%t trailer=%q %s\n",
		name, answer.StatusCode, reused, continued, answer.Trailer.Get("Checksum"), body)
}

// Hides the length, so that the body goes in chunks.
type unknown struct{ io.Reader }

func main() {
	url := os.Args[1]
	large := strings.Repeat("z", 200000)

	request, err := http.NewRequest("GET", url+"/get", nil)
	ask("get", http.DefaultClient, request, err)
	request, err = http.NewRequest("POST", url+"/post", strings.NewReader(large))
	ask("post", http.DefaultClient, request, err)
	request, err = http.NewRequest("POST", url+"/chunked", unknown{strings.NewReader(large)})
	request.Trailer = http.Header{"Digest": {"abc"}}
	ask("chunked", http.DefaultClient, request, err)
	request, err = http.NewRequest("GET", url+"/trailers", nil)
	ask("trailers", http.DefaultClient, request, err)

	patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 40 * time.Second}}
	request, err = http.NewRequest("POST", url+"/expect", strings.NewReader(large))
	request.Header.Set("Expect", "100-continue")
	ask("expect", patient, request, err)
}
