import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfig;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfig.FieldValueEncoding;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfigBuilder;
import com.mastercard.developer.interceptors.OkHttpFieldLevelEncryptionInterceptor;
import com.mastercard.developer.interceptors.OkHttpOAuth1Interceptor;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.JSON;
import org.openapitools.client.api.CardholdersApi;
import org.openapitools.client.api.IssuersApi;
import org.openapitools.client.api.ServiceApi;
import org.openapitools.client.model.AggregateCarbonScore;
import org.openapitools.client.model.Errors;
import org.openapitools.client.model.Health;
import org.openapitools.client.model.IssuerConfiguration;
import org.openapitools.client.model.IssuerProfile;
import org.openapitools.client.model.IssuerProfileDetails;
import org.openapitools.client.model.JwkSet;
import org.openapitools.client.model.UserReference;

/**
 * The seven calls of Mastercard's CCE reference application in its order and shape: OkHttp, field-level encryption
 * before signing, no decryption but for the dashboard. A client generated from /openapi.json reads every answer; it
 * refuses members that the document does not have. Arguments: SANDBOX COUNTS.
 */
final class ReferenceApp {
    private static final MediaType JSON_UTF_8 = MediaType.parse("application/json; charset=utf-8");

    private final Sandbox sandbox;
    private final String base;
    private final OkHttpClient plain;
    private final OkHttpClient encrypting;
    private final OkHttpClient decrypting;
    private String userId;
    private String lastFour;

    private ReferenceApp(Path file) throws Exception {
        sandbox = new Sandbox(file, "compat");
        base = sandbox.baseUrl + "/cts";
        OkHttpOAuth1Interceptor signing = new OkHttpOAuth1Interceptor(sandbox.consumerKey, sandbox.signingKey);
        FieldLevelEncryptionConfig requests = FieldLevelEncryptionConfigBuilder.aFieldLevelEncryptionConfig()
            .withEncryptionPath("$", "$")
            .withEncryptionCertificate(sandbox.gateway)
            .withOaepPaddingDigestAlgorithm("SHA-256")
            .withEncryptedValueFieldName("encryptedData")
            .withEncryptedKeyFieldName("encryptedKey")
            .withIvFieldName("iv")
            .withOaepPaddingDigestAlgorithmFieldName("oaepHashingAlgorithm")
            .withEncryptionKeyFingerprintFieldName("publicKeyFingerprint")
            .withFieldValueEncoding(FieldValueEncoding.HEX)
            .build();
        FieldLevelEncryptionConfig answers = FieldLevelEncryptionConfigBuilder.aFieldLevelEncryptionConfig()
            .withDecryptionPath("$", "$")
            .withDecryptionKey(sandbox.decryptionKey)
            .withOaepPaddingDigestAlgorithm("SHA-256")
            .withEncryptedValueFieldName("encryptedData")
            .withEncryptedKeyFieldName("encryptedKey")
            .withIvFieldName("iv")
            .withOaepPaddingDigestAlgorithmFieldName("oaepHashingAlgorithm")
            .withEncryptionKeyFingerprintFieldName("publicKeyFingerprint")
            .withFieldValueEncoding(FieldValueEncoding.HEX)
            .build();
        plain = client().addInterceptor(signing).build();
        encrypting = client()
            .addInterceptor(new OkHttpFieldLevelEncryptionInterceptor(requests)).addInterceptor(signing).build();
        decrypting = client()
            .addInterceptor(new OkHttpFieldLevelEncryptionInterceptor(answers)).addInterceptor(signing).build();
    }

    private static OkHttpClient.Builder client() {
        return new OkHttpClient.Builder().readTimeout(60, TimeUnit.SECONDS);
    }

    public static void main(String[] arguments) throws Exception {
        ReferenceApp app = new ReferenceApp(Path.of(arguments[0]));
        Cases cases = new Cases();
        cases.run("1 get issuer", app::getIssuer);
        cases.run("2 update issuer", app::updateIssuer);
        cases.run("3 enrol user", app::enrol);
        cases.run("4 aggregate carbon score", app::aggregateScore);
        cases.run("5 dashboard", app::dashboard);
        cases.run("6 update user", app::updateUser);
        cases.run("7 delete users", app::deleteUsers);
        cases.run("errors are read strictly", app::errors);
        cases.run("the service's own answers are read strictly", app::service);
        cases.finish(Path.of(arguments[1]));
    }

    private ApiClient api(OkHttpClient http) {
        return new ApiClient(http).setBasePath(base);
    }

    private void getIssuer() throws Exception {
        IssuerProfileDetails details = new IssuersApi(api(plain)).getIssuer();
        Cases.equal("ACTIVE", String.valueOf(details.getStatus()), "status");
        Cases.equal("USA", details.getCountryCode(), "countryCode");
    }

    private void updateIssuer() throws Exception {
        // It sends one URL with a leading blank, and adds a range.
        IssuerConfiguration changes = new IssuerConfiguration()
            .supportedAccountRange("5051")
            .privacyNoticeURL(" https://www.issuer.example/privacy")
            .termsAndConditionURL("https://www.issuer.example/terms");
        IssuerProfile profile = new IssuersApi(api(plain)).updateIssuer(changes);
        Cases.equal("https://www.issuer.example/privacy", profile.getPrivacyNoticeURL(), "privacyNoticeURL");
        Cases.equal(true, profile.getSupportedAccountRange().contains("5051"), "5051 is added");
    }

    private void enrol() throws Exception {
        JsonObject enrolment = sandbox.enrolment();
        UserReference user = strictly(send(encrypting, "POST", "/issuers/users", enrolment, 200), UserReference.class);
        userId = user.getUserid();
        lastFour = user.getCardNumberLastFourDigits();
        Cases.equal(enrolment.get("cardNumber").getAsString().substring(12), lastFour, "last four digits");
    }

    private void aggregateScore() throws Exception {
        String path = "/issuers/users/" + userId + "/aggregate-carbon-scores";
        AggregateCarbonScore score = strictly(send(plain, "GET", path, null, 200), AggregateCarbonScore.class);
        Cases.equal("0", score.getCarbonEmissionInGrams(), "carbonEmissionInGrams");
        Cases.equal(true, score.getAggregateDate().matches("[a-z]+-\\d{4}"), score.getAggregateDate());
    }

    private void dashboard() throws Exception {
        // As the application does it: its environment's language, and the answer encrypted for its own key.
        String path = "/issuers/users/" + userId + "/dashboards?lang=en-US";
        Class<?> model;
        try {
            model = Class.forName("org.openapitools.client.model.Dashboard");
        } catch (ClassNotFoundException absent) {
            // The document has no dashboards, so there must be none.
            send(plain, "GET", path, null, 404);
            return;
        }
        JsonObject wire = Sandbox.object(send(plain, "GET", path, null, 200));
        Cases.equal(5, wire.size(), "members of the encrypted answer");
        Object dashboard = strictly(send(decrypting, "GET", path, null, 200), model);
        Method expiry = model.getMethod("getExpiryInMillis");
        Cases.equal("900000", String.valueOf(expiry.invoke(dashboard)), "expiryInMillis");
        String url = String.valueOf(model.getMethod("getUrl").invoke(dashboard));
        Cases.equal(true, url.contains("auth_token=") && url.contains("&lang=en-US"), "the dashboard's URL");
        send(decrypting, "GET", path.replace("en-US", "C.UTF-8"), null, 200);
    }

    private void updateUser() throws Exception {
        String body = send(encrypting, "PUT", "/issuers/users/" + userId, Sandbox.update(), 200);
        UserReference user = strictly(body, UserReference.class);
        Cases.equal(userId, user.getUserid(), "userid");
        Cases.equal(lastFour, user.getCardNumberLastFourDigits(), "last four digits");
    }

    private void deleteUsers() throws Exception {
        List<String> ids = new ArrayList<>(List.of(userId));
        Cases.equal(ids, new CardholdersApi(api(plain)).deleteUsers(ids), "the deleted ids");
    }

    private void errors() throws Exception {
        JsonObject incomplete = new JsonObject();
        incomplete.addProperty("filler", "x".repeat(100));
        String encrypted = send(encrypting, "POST", "/issuers/users", incomplete, 400);
        Cases.equal(true, strictly(encrypted, Errors.class).getErrors().getError().size() > 3, "one element a rule");
        ApiException refusal = null;
        try {
            new IssuersApi(new ApiClient(client().build()).setBasePath(base)).getIssuer();
        } catch (ApiException expected) {
            refusal = expected;
        }
        Cases.equal(401, refusal == null ? 0 : refusal.getCode(), "an unsigned call");
        Errors errors = strictly(refusal.getResponseBody(), Errors.class);
        Cases.equal("AUTHENTICATION_FAILED", errors.getErrors().getError().get(0).getReasonCode(), "ReasonCode");
        Cases.equal(1, refusal.getResponseHeaders().get("www-authenticate").size(), "WWW-Authenticate");
    }

    private void service() throws Exception {
        ServiceApi service = new ServiceApi(new ApiClient(client().build()).setBasePath(sandbox.baseUrl));
        Health health = strictly(send(plain, sandbox.baseUrl, "GET", "/health/live", null, 200), Health.class);
        Cases.equal(true, health.toString().contains("status"), "the health page");
        JwkSet keys = strictly(send(plain, sandbox.baseUrl, "GET", "/.well-known/jwks.json", null, 200), JwkSet.class);
        Cases.equal(2, keys.getKeys().size(), "gateway keys: one RSA, one elliptic-curve");
        Cases.equal(true, service.getApiClient() != null, "the generated service client");
    }

    /** Reads with the generated model; a missing or unknown member is refused. */
    private static <T> T strictly(String body, Class<T> model) {
        Gson gson = JSON.getGson();
        return gson.fromJson(body, model);
    }

    private String send(OkHttpClient http, String method, String path, JsonObject body, int status) throws Exception {
        return send(http, base, method, path, body, status);
    }

    private static String send(OkHttpClient http, String base, String method, String path, JsonObject body, int status)
        throws Exception {
        RequestBody content = body == null ? null : RequestBody.create(body.toString(), JSON_UTF_8);
        Request request = new Request.Builder().url(base + path)
            .header("Accept", "application/json")
            // GETs of generated clients carry it too.
            .header("Content-Type", "application/json")
            .method(method, content)
            .build();
        try (Response response = http.newCall(request).execute()) {
            String text = response.body().string();
            Cases.equal(status, response.code(), method + " " + path + " " + text);
            return text;
        }
    }
}
