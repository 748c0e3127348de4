// go mod init enrol && go mod tidy && go run enrol.go
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"

	"github.com/mastercard/client-encryption-go/encryption"
	"github.com/mastercard/client-encryption-go/jwe"
	encryptionkeys "github.com/mastercard/client-encryption-go/utils"
	oauth "github.com/mastercard/oauth1-signer-go"
	signingkeys "github.com/mastercard/oauth1-signer-go/utils"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	address := must(url.Parse("@BASE_URL@/issuers/users"))
	signingKey := must(signingkeys.LoadSigningKey("@SIGNING_P12@", "@P12_PASSWORD@"))
	config := jwe.NewJWEConfigBuilder().
		WithCertificate(must(encryptionkeys.LoadEncryptionCertificate("@GATEWAY_CERTIFICATE@"))).
		WithDecryptionKey(must(encryptionkeys.LoadUnencryptedDecryptionKey("@DECRYPTION_KEY@"))).
		WithEncryptionPath("$", "$").
		WithDecryptionPath("$.encryptedData", "$").
		WithEncryptedValueFieldName("encryptedData").
		Build()

	clear := `@JSON@`
	body := encryption.EncryptPayload(clear, *config)
	authorization := must(oauth.GetAuthorizationHeader(address, "POST", []byte(body), "@CONSUMER_KEY@", signingKey))
	request := must(http.NewRequest("POST", address.String(), strings.NewReader(body)))
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Content-Type", "application/json")
	response := must(http.DefaultClient.Do(request))
	answer := string(must(io.ReadAll(response.Body)))
	if strings.Contains(answer, `"encryptedData"`) {
		answer = encryption.DecryptPayload(answer, *config)
	}
	fmt.Println(answer)
}
