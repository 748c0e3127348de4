# pip install mastercard-client-encryption mastercard-oauth1-signer requests && python3 enrol.py
import json

import requests
from client_encryption import jwe_encryption
from client_encryption.jwe_encryption_config import JweEncryptionConfig
from oauth1.authenticationutils import load_signing_key
from oauth1.oauth import SignatureMethod
from oauth1.oauth_ext import OAuth1RSA

signing_key = load_signing_key("@SIGNING_P12@", "@P12_PASSWORD@")
auth = OAuth1RSA("@CONSUMER_KEY@", signing_key, SignatureMethod.RSA_SHA256)
config = JweEncryptionConfig({
    "paths": {"$": {"toEncrypt": {"$": "$"}, "toDecrypt": {"encryptedData": "$"}}},
    "encryptedValueFieldName": "encryptedData",
    "encryptionCertificate": "@GATEWAY_CERTIFICATE@",
    "decryptionKey": "@DECRYPTION_KEY@",
})

clear = json.loads("""@JSON@""")
body = json.dumps(jwe_encryption.encrypt_payload(clear, config))
headers = {"Content-Type": "application/json"}
answer = requests.post("@BASE_URL@/issuers/users", data=body, headers=headers, auth=auth).json()
opened = jwe_encryption.decrypt_payload(answer, config) if "encryptedData" in answer else answer
print(json.dumps(opened))
