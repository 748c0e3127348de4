import com.google.gson.JsonObject;
import com.mastercard.developer.encryption.FieldLevelEncryption;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfig;
import com.mastercard.developer.encryption.FieldLevelEncryptionConfig.FieldValueEncoding;
import java.net.http.HttpResponse;
import java.nio.file.Path;

/** Enrol, update and read in every form that client-encryption writes and reads: Matrix SANDBOX COUNTS RELEASE. */
final class Matrix {
    /** A form of encryption, with the library's own code on both ways. */
    interface Form {
        String encrypt(String clear) throws Exception;

        String decrypt(String body) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        String release = arguments[2];
        Cases cases = new Cases();
        for (String name : new String[] {"demo", "compat"}) {
            Sandbox sandbox = new Sandbox(file, name);
            for (FieldValueEncoding encoding : FieldValueEncoding.values()) {
                for (String digest : new String[] {"SHA-256", "SHA-512"}) {
                    String title = release + " " + name + " field-level " + encoding + " " + digest;
                    cases.run(title, () -> lifecycle(sandbox, fieldLevel(sandbox, encoding, digest)));
                }
            }
            for (Form form : JweForms.of(sandbox)) {
                cases.run(release + " " + name + " JWE", () -> lifecycle(sandbox, form));
            }
        }
        cases.finish(Path.of(arguments[1]));
    }

    private static Form fieldLevel(Sandbox sandbox, FieldValueEncoding encoding, String digest) throws Exception {
        FieldLevelEncryptionConfig config = sandbox.fieldLevel(encoding, digest);
        return new Form() {
            @Override
            public String encrypt(String clear) throws Exception {
                return FieldLevelEncryption.encryptPayload(clear, config);
            }

            @Override
            public String decrypt(String body) throws Exception {
                return FieldLevelEncryption.decryptPayload(body, config);
            }
        };
    }

    private static void lifecycle(Sandbox sandbox, Form form) throws Exception {
        JsonObject enrolment = sandbox.enrolment();
        JsonObject enrolled = answered(sandbox, form, "POST", "/issuers/users", enrolment);
        String number = enrolment.get("cardNumber").getAsString();
        Cases.equal("ACTIVE", enrolled.get("status").getAsString(), "status");
        Cases.equal(number.substring(12), enrolled.get("cardNumberLastFourDigits").getAsString(), "last four digits");
        String id = enrolled.get("userid").getAsString();

        JsonObject updated = answered(sandbox, form, "PUT", "/cts/issuers/users/" + id, Sandbox.update());
        Cases.equal(enrolled, updated, "the answer of update");

        HttpResponse<String> read = sandbox.call("GET", "/issuers", null);
        Cases.equal(200, read.statusCode(), "GET /issuers");
        Cases.equal("ACTIVE", Sandbox.object(read.body()).get("status").getAsString(), "the issuer's status");
    }

    /** Sends a body encrypted; opens the answer where this issuer's answers are encrypted. */
    private static JsonObject answered(Sandbox sandbox, Form form, String method, String path, JsonObject clear)
        throws Exception {
        HttpResponse<String> answer = sandbox.call(method, path, form.encrypt(clear.toString()));
        Cases.equal(200, answer.statusCode(), method + " " + path + " " + answer.body());
        JsonObject body = Sandbox.object(answer.body());
        Cases.equal(sandbox.answersEncrypted, body.has("encryptedData"), "whether the answer is encrypted");
        return sandbox.answersEncrypted ? Sandbox.object(form.decrypt(answer.body())) : body;
    }
}
