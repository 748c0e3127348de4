import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfig;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfig.FieldValueEncoding;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfigBuilder;
import com.mastercard.developer.oauth.OAuth;
import com.mastercard.developer.utils.AuthenticationUtils;
import com.mastercard.developer.utils.EncryptionUtils;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.util.Random;

/** One issuer of the sandbox: its keys, signed calls, and what it encrypts. */
final class Sandbox {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Random RANDOM = new Random();

    final String name;
    final String baseUrl;
    final String consumerKey;
    final PrivateKey signingKey;
    final PrivateKey decryptionKey;
    final Certificate gateway;
    final boolean answersEncrypted;
    private final JsonArray ranges;

    Sandbox(Path file, String name) throws Exception {
        JsonObject all = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        JsonObject issuer = all.getAsJsonObject("issuers").getAsJsonObject(name);
        Path folder = file.toAbsolutePath().getParent();
        this.name = name;
        baseUrl = all.get("base_url").getAsString();
        consumerKey = issuer.get("consumer_key").getAsString();
        String password = issuer.get("p12_password").getAsString();
        signingKey = AuthenticationUtils.loadSigningKey(
            folder.resolve(issuer.get("signing_p12").getAsString()).toString(), "keyalias", password);
        decryptionKey = EncryptionUtils.loadDecryptionKey(
            folder.resolve(issuer.get("decryption_p12").getAsString()).toString(), "keyalias", password);
        gateway = EncryptionUtils.loadEncryptionCertificate(
            folder.resolve(all.getAsJsonObject("gateway").get("certificate").getAsString()).toString());
        answersEncrypted = issuer.get("responses").getAsString().equals("mirror");
        ranges = issuer.getAsJsonArray("account_ranges");
    }

    /** Field-level encryption with the names of the CCE API, over the whole body. */
    FieldLevelEncryptionConfig fieldLevel(FieldValueEncoding encoding, String digest) throws Exception {
        return FieldLevelEncryptionConfigBuilder.aFieldLevelEncryptionConfig()
            .withEncryptionPath("$", "$")
            .withDecryptionPath("$", "$")
            .withEncryptionCertificate(gateway)
            .withDecryptionKey(decryptionKey)
            .withOaepPaddingDigestAlgorithm(digest)
            .withEncryptedValueFieldName("encryptedData")
            .withEncryptedKeyFieldName("encryptedKey")
            .withIvFieldName("iv")
            .withOaepPaddingDigestAlgorithmFieldName("oaepHashingAlgorithm")
            .withEncryptionKeyFingerprintFieldName("publicKeyFingerprint")
            .withFieldValueEncoding(encoding)
            .build();
    }

    /** A signed call; the body goes out as it is. */
    HttpResponse<String> call(String method, String path, String body) throws Exception {
        URI uri = URI.create(baseUrl + path);
        String authorization = OAuth.getAuthorizationHeader(
            uri, method, body, StandardCharsets.UTF_8, consumerKey, signingKey);
        HttpRequest request = HttpRequest.newBuilder(uri)
            .header("Authorization", authorization)
            .header("Content-Type", "application/json; charset=utf-8")
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .build();
        return HTTP.send(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    /** A cardholder with a new card. */
    JsonObject enrolment() {
        String number = cardNumber();
        return JsonParser.parseString(
            "{\"email\":{\"type\":\"home\",\"value\":\"jane.sample@example.com\"},"
                + "\"name\":{\"firstName\":\"Jane\",\"lastName\":\"O'Sample\"},"
                + "\"cardholderName\":\"Jane O'Sample\",\"cardNumber\":\"" + number + "\","
                + "\"cardBaseCurrency\":\"USD\",\"expiryInfo\":{\"month\":\"10\",\"year\":\"2039\"},"
                + "\"billingAddress\":{\"countryCode\":\"USA\",\"type\":\"home\",\"postalCode\":\"11746\","
                + "\"city\":\"Köln / Zürich\",\"line1\":\"83 Mayfair Street\"},\"locale\":\"en-US\"}")
            .getAsJsonObject();
    }

    static JsonObject update() {
        return JsonParser.parseString(
            "{\"name\":{\"firstName\":\"Jane\",\"lastName\":\"Other\"},\"locale\":\"sv-SE\",\"billingAddress\":"
            + "{\"countryCode\":\"USA\",\"type\":\"home\",\"postalCode\":\"11746\",\"city\":\"Brooklyn\",\"line1\":\"83 Mayfair Street\"}}").getAsJsonObject();
    }

    private String cardNumber() {
        StringBuilder digits = new StringBuilder(ranges.get(0).getAsString());
        while (digits.length() < 15) {
            digits.append(RANDOM.nextInt(10));
        }
        int sum = 0;
        for (int at = 0; at < 15; at++) {
            int digit = digits.charAt(at) - '0';
            int weighed = at % 2 == 0 ? digit * 2 : digit;
            sum += weighed > 9 ? weighed - 9 : weighed;
        }
        return digits.append((10 - sum % 10) % 10).toString();
    }

    static JsonObject object(String body) {
        JsonElement parsed = JsonParser.parseString(body);
        return parsed.getAsJsonObject();
    }
}
