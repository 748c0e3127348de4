// Starts Swagger UI on the gateway's own document. No validator badge (it would call swagger.io), no calls to try out.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 1,
  supportedSubmitMethods: [],
  validatorUrl: null,
});
