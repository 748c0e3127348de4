<?php
// composer require mastercard/client-encryption mastercard/oauth1-signer && php enrol.php
error_reporting(E_ALL & ~E_DEPRECATED); // client-encryption 1.5.0 causes some since PHP 8.1
require 'vendor/autoload.php';

use Mastercard\Developer\Encryption\FieldLevelEncryption;
use Mastercard\Developer\Encryption\FieldLevelEncryptionConfigBuilder;
use Mastercard\Developer\Encryption\FieldValueEncoding;
use Mastercard\Developer\OAuth\OAuth;
use Mastercard\Developer\OAuth\Utils\AuthenticationUtils;
use Mastercard\Developer\Utils\EncryptionUtils;

$url = '@BASE_URL@/issuers/users';
$signingKey = AuthenticationUtils::loadSigningKey('@SIGNING_P12@', 'keyalias', '@P12_PASSWORD@');
$config = FieldLevelEncryptionConfigBuilder::aFieldLevelEncryptionConfig()
    ->withEncryptionCertificate(EncryptionUtils::loadEncryptionCertificate('@GATEWAY_CERTIFICATE@'))
    ->withDecryptionKey(EncryptionUtils::loadDecryptionKey('@DECRYPTION_KEY@'))
    ->withEncryptionPath('$', '$')
    ->withDecryptionPath('$', '$')
    ->withOaepPaddingDigestAlgorithm('SHA-256')
    ->withEncryptedValueFieldName('encryptedData')
    ->withEncryptedKeyFieldName('encryptedKey')
    ->withIvFieldName('iv')
    ->withOaepPaddingDigestAlgorithmFieldName('oaepHashingAlgorithm')
    ->withEncryptionKeyFingerprintFieldName('publicKeyFingerprint')
    ->withFieldValueEncoding(FieldValueEncoding::HEX)
    ->build();

$clear = '@JSON@';
$body = FieldLevelEncryption::encryptPayload($clear, $config);
$authorization = OAuth::getAuthorizationHeader($url, 'POST', $body, '@CONSUMER_KEY@', $signingKey);
$answer = file_get_contents($url, false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => "Authorization: $authorization\r\nContent-Type: application/json",
    'content' => $body,
    'ignore_errors' => true,
]]));
$sealed = strpos($answer, '"encryptedData"') !== false;
echo $sealed ? FieldLevelEncryption::decryptPayload($answer, $config) : $answer, "\n";
