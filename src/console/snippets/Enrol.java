// Maven: com.mastercard.developer:client-encryption:1.7.7, com.mastercard.developer:oauth1-signer:1.5.0,
// com.google.guava:guava, com.google.code.gson:gson. Then: java -Dfile.encoding=UTF-8 -cp "lib/*" Enrol.java
import com.mastercard.developer.encryption.JweConfig;
import com.mastercard.developer.encryption.JweConfigBuilder;
import com.mastercard.developer.encryption.JweEncryption;
import com.mastercard.developer.oauth.OAuth;
import com.mastercard.developer.utils.AuthenticationUtils;
import com.mastercard.developer.utils.EncryptionUtils;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;

public class Enrol {
    public static void main(String[] arguments) throws Exception {
        URI url = URI.create("@BASE_URL@/issuers/users");
        String password = "@P12_PASSWORD@";
        PrivateKey signingKey = AuthenticationUtils.loadSigningKey("@SIGNING_P12@", "keyalias", password);
        JweConfig config = JweConfigBuilder.aJweEncryptionConfig()
            .withEncryptionCertificate(EncryptionUtils.loadEncryptionCertificate("@GATEWAY_CERTIFICATE@"))
            .withDecryptionKey(EncryptionUtils.loadDecryptionKey("@DECRYPTION_P12@", "keyalias", password))
            .withEncryptionPath("$", "$")
            .withDecryptionPath("$.encryptedData", "$")
            .withEncryptedValueFieldName("encryptedData")
            .build();

        String clear = """
            @JSON@""";
        String body = JweEncryption.encryptPayload(clear, config);
        String authorization = OAuth.getAuthorizationHeader(
            url, "POST", body, StandardCharsets.UTF_8, "@CONSUMER_KEY@", signingKey);
        HttpRequest request = HttpRequest.newBuilder(url)
            .header("Authorization", authorization)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        String answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
        boolean sealed = answer.contains("\"encryptedData\"");
        System.out.println(sealed ? JweEncryption.decryptPayload(answer, config) : answer);
    }
}
