import com.mastercard.developer.encryption.JweConfig;
import com.mastercard.developer.encryption.JweConfigBuilder;
import com.mastercard.developer.encryption.JweEncryption;
import java.util.List;

/** JWE over the whole body. */
final class JweForms {
    static List<Matrix.Form> of(Sandbox sandbox) throws Exception {
        JweConfig config = JweConfigBuilder.aJweEncryptionConfig()
            .withEncryptionCertificate(sandbox.gateway)
            .withDecryptionKey(sandbox.decryptionKey)
            .withEncryptionPath("$", "$")
            .withDecryptionPath("$.encryptedData", "$")
            .withEncryptedValueFieldName("encryptedData")
            .build();
        return List.of(new Matrix.Form() {
            @Override
            public String encrypt(String clear) throws Exception {
                return JweEncryption.encryptPayload(clear, config);
            }

            @Override
            public String decrypt(String body) throws Exception {
                return JweEncryption.decryptPayload(body, config);
            }
        });
    }
}
