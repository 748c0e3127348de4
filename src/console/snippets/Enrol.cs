// .NET 8 or later: dotnet new console, delete its Program.cs, put this file there, and
// dotnet add package Mastercard.Developer.ClientEncryption.Core
// dotnet add package Mastercard.Developer.OAuth1Signer.Core
// dotnet run
using System;
using System.Net.Http;
using System.Text;
using Mastercard.Developer.ClientEncryption.Core.Encryption;
using Mastercard.Developer.ClientEncryption.Core.Utils;
using Mastercard.Developer.OAuth1Signer.Core;
using Mastercard.Developer.OAuth1Signer.Core.Utils;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

const string url = "@BASE_URL@/issuers/users";
var signingKey = AuthenticationUtils.LoadSigningKey(@"@SIGNING_P12@", "keyalias", "@P12_PASSWORD@");
var config = FieldLevelEncryptionConfigBuilder.AFieldLevelEncryptionConfig()
    .WithEncryptionCertificate(EncryptionUtils.LoadEncryptionCertificate(@"@GATEWAY_CERTIFICATE@"))
    .WithDecryptionKey(EncryptionUtils.LoadDecryptionKey(@"@DECRYPTION_KEY@"))
    .WithEncryptionPath("$", "$")
    .WithDecryptionPath("$", "$")
    .WithOaepPaddingDigestAlgorithm("SHA-256")
    .WithEncryptedValueFieldName("encryptedData")
    .WithEncryptedKeyFieldName("encryptedKey")
    .WithIvFieldName("iv")
    .WithOaepPaddingDigestAlgorithmFieldName("oaepHashingAlgorithm")
    .WithEncryptionKeyFingerprintFieldName("publicKeyFingerprint")
    .WithValueEncoding(FieldLevelEncryptionConfig.FieldValueEncoding.Hex)
    .Build();

const string clear = """
@JSON@
""";
var body = FieldLevelEncryption.EncryptPayload(clear, config);
var authorization = OAuth.GetAuthorizationHeader(url, "POST", body, Encoding.UTF8, "@CONSUMER_KEY@", signingKey);
using var client = new HttpClient();
using var request = new HttpRequestMessage(HttpMethod.Post, url);
request.Headers.TryAddWithoutValidation("Authorization", authorization);
request.Content = new StringContent(body, Encoding.UTF8, "application/json");
using var response = await client.SendAsync(request);
var answer = await response.Content.ReadAsStringAsync();
var isSealed = answer.Contains("\"encryptedData\"");
if (isSealed) answer = JToken.Parse(FieldLevelEncryption.DecryptPayload(answer, config)).ToString(Formatting.None);
Console.WriteLine(answer);
