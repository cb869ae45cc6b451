/*
 * labels.h: every number that has a meaning in the format, with its source.
 * The strings that separate the uses of keys are lib/message/strings.h.
 */
#ifndef WIRE_LABELS_H
#define WIRE_LABELS_H

/* CBOR tags. */
#define TAG_ENVELOPE 1697801521u	/* "e2e1" */
#define TAG_WRAPPED_KEY 1697801522u	/* "e2e2" */
#define TAG_FRAME 1697801523u		/* "e2e3": between a relay and its clients */
#define TAG_COSE_SIGN1 18u		/* RFC 9052 */
#define TAG_COSE_ENCRYPT 96u

/* COSE header parameters (RFC 9052, RFC 9596). */
#define HEADER_ALG 1
#define HEADER_KID 4
#define HEADER_IV 5
#define HEADER_TYP 16
#define HEADER_EPHEMERAL_KEY (-1)	/* RFC 9053, 6.3.1 */
#define HEADER_KEY_COMMITMENT (-65601)
#define HEADER_REWRAP (-65602)

/* COSE algorithms. */
#define ALG_A256GCM 3
#define ALG_A256KW (-5)
#define ALG_ED25519 (-19)		/* RFC 9864 */
#define ALG_ECDH_ES_A256KW (-31)
#define ALG_PS256 (-37)			/* RFC 8230 */
#define ALG_RSA_OAEP_256 (-41)
#define ALG_ARGON2ID (-65610)

/* Parameters of a passphrase recipient. */
#define ARGON2_SALT (-65611)
#define ARGON2_PASSES (-65612)
#define ARGON2_MEMORY (-65613)
#define ARGON2_LANES (-65614)

/* COSE_Key (RFC 9052, RFC 9053, RFC 8230). */
#define KEY_KTY 1
#define KEY_ALG 3
#define KTY_OKP 1
#define KTY_RSA 3
#define KTY_SYMMETRIC 4
#define OKP_CRV (-1)
#define OKP_X (-2)
#define OKP_D (-4)
#define CRV_X25519 4
#define CRV_ED25519 6
#define SYMMETRIC_K (-1)
#define RSA_N (-1)
#define RSA_E (-2)
#define RSA_D (-3)
#define RSA_P (-4)
#define RSA_Q (-5)
#define RSA_DP (-6)
#define RSA_DQ (-7)
#define RSA_QINV (-8)

/* CWT claims (RFC 8392, RFC 8747, RFC 9679). */
#define CLAIM_ISS 1
#define CLAIM_SUB 2
#define CLAIM_EXP 4
#define CLAIM_IAT 6
#define CLAIM_CTI 7
#define CLAIM_CNF 8
#define CNF_COSE_KEY 1
#define CNF_THUMBPRINT 5

/* Metadata of a message. */
#define CLAIM_PAYLOAD_KEY (-65620)
#define CLAIM_MODE (-65621)
#define CLAIM_SEGMENT_SIZE (-65622)
#define CLAIM_CONVERSATION (-65623)
#define CLAIM_SEQUENCE (-65624)
#define CLAIM_MEDIA_TYPE (-65625)
#define CLAIM_FILE_NAME (-65626)
#define CLAIM_REPLY_TO (-65627)
#define CLAIM_CARD (-65628)
#define CLAIM_PADDED (-65629)
#define CLAIM_RECEIPT (-65630)
#define CLAIM_TO (-65631)
#define CLAIM_PADDING (-65632)

/* The block of a rewrapped header. */
#define CLAIM_ORIGINAL_HASH (-65640)

/* Cards. */
#define CLAIM_ENCRYPTION_KEYS (-65650)
#define CLAIM_SERIAL (-65651)
#define CLAIM_CERTIFICATES (-65653)

/* Wrapped keys. */
#define CLAIM_GROUP_KEY (-65660)
#define CLAIM_GROUP_NAME (-65661)
#define CLAIM_EPOCH (-65662)
#define CLAIM_MEMBERS (-65663)
#define CLAIM_RANDOM (-65664)

/* Statements. */
#define CLAIM_REASON (-65670)
#define CLAIM_INVALID_SINCE (-65671)
#define CLAIM_DELIVERED (-65672)
#define CLAIM_CONTEXT_HASH (-65673)
#define CLAIM_MERKLE_ROOT (-65674)
#define CLAIM_CERTIFICATE_SERIAL (-65676)
#define CLAIM_DATA_HASH (-65677)

/* typ values (RFC 9596). */
#define TYP_METADATA "application/e2e-metadata+cwt"
#define TYP_WRAPPED_KEY "application/e2e-wrapped-key+cwt"
#define TYP_REWRAP "application/e2e-rewrap+cwt"
#define TYP_CARD "application/e2e-card+cwt"
#define TYP_REVOCATION "application/e2e-revocation+cwt"
#define TYP_SUCCESSION "application/e2e-succession+cwt"
#define TYP_DELIVERY "application/e2e-delivery+cwt"
#define TYP_STORAGE "application/e2e-storage+cwt"
#define TYP_RELAY_SERVER "application/e2e-relay-server"
#define TYP_RELAY_AUTH "application/e2e-relay-auth"
#define TYP_RELAY_ACK "application/e2e-relay-ack"
#define TYP_RELAY_RECORD "application/e2e-relay-record"

#endif
