// One group per service; the documents come through the gateway.
window.ui = SwaggerUIBundle({
  dom_id: '#swagger-ui',
  urls: ['ingestion', 'etl', 'segmentation', 'churn', 'industry40', 'snapshot', 'alert', 'gateway'].map(function (name) {
    return { name: name, url: '/docs/openapi/' + name };
  }),
  'urls.primaryName': 'ingestion',
  deepLinking: true,
  persistAuthorization: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: 'StandaloneLayout'
});
