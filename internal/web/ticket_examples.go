package web

import "strings"

// ticketExamples are programs that upload a file with a ticket, in the languages of docs/uploads.md. sign makes a
// ticket. The last one signs by itself, with the profile's secret.
func ticketExamples(profile, url, file string, sign func() (info, signature string)) []example {
	all := []example{
		{"ticket-curl", "curl", `curl -fsS -H 'itemcast-upload-info: INFO' \
  -H 'itemcast-upload-signature: SIGNATURE' \
  -F 'file=@FILE' URL`},
		{"ticket-html", "HTML", `<form method="post" enctype="multipart/form-data" action="URL">
  <input type="hidden" name="itemcast-upload-info" value="INFO">
  <input type="hidden" name="itemcast-upload-signature" value="SIGNATURE">
  <input type="file" name="file" multiple>
  <button>Send</button>
</form>`},
		{"ticket-javascript", "JavaScript", `import { openAsBlob } from 'node:fs';

const form = new FormData();
form.append('file', await openAsBlob('FILE'), 'FILE');
const answer = await fetch('URL', {
  method: 'POST',
  headers: {
    'itemcast-upload-info': 'INFO',
    'itemcast-upload-signature': 'SIGNATURE',
  },
  body: form,
});
console.log(answer.status, await answer.json());`},
		{"ticket-go", "Go", `package main

import (
	"bytes"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	file, err := os.ReadFile("FILE")
	if err != nil {
		log.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("file", "FILE")
	part.Write(file)
	form.Close()
	request, _ := http.NewRequest("POST", "URL", &body)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("itemcast-upload-info", "INFO")
	request.Header.Set("itemcast-upload-signature", "SIGNATURE")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
}`},
		{"ticket-python", "Python", `import requests

answer = requests.post(
    "URL",
    headers={
        "itemcast-upload-info": "INFO",
        "itemcast-upload-signature": "SIGNATURE",
    },
    files={"file": open("FILE", "rb")},
)
print(answer.status_code, answer.json())`},
	}
	all = append(all, example{"ticket-sign", "Shell", `export SECRET=icu_…
claims='{"profile":"PROFILE","expires":'$(($(date +%s) + 600))',"nonce":"'$(openssl rand -hex 16)'"}'
info=$(printf %s "$claims" | openssl base64 -A | tr '+/' '-_' | tr -d '=')
signature=$(printf %s "$info" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d ' ' -f 1)
curl -fsS -H "itemcast-upload-info: $info" -H "itemcast-upload-signature: $signature" \
  -F 'file=@FILE' URL`})
	for n := range all {
		info, signature := sign()
		all[n].Code = strings.NewReplacer("PROFILE", profile, "URL", url, "FILE", file, "INFO", info,
			"SIGNATURE", signature).Replace(all[n].Code)
	}
	return all
}
