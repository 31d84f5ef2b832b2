// kafkajs as a producer outside of the mesh: node kafka.mjs BROKERS TENANT USER
import { Kafka, logLevel, CompressionTypes } from 'kafkajs'

const [brokers, tenant, userId] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'interop', brokers: brokers.split(','), logLevel: logLevel.ERROR })
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
const topic = `mirante.ingest.${tenant}`
const purchase = (id, amount, more = {}) => ({
  event_id: id,
  user_id: userId,
  event_type: { type: 'Purchase', data: { amount, currency: 'USD' } },
  ...more
})

await producer.connect()
const sent = await producer.send({
  topic,
  acks: -1,
  compression: CompressionTypes.GZIP,
  messages: [
    // A plain event, and the same again.
    { key: userId, value: JSON.stringify(purchase(`plain-${userId}`, '10.00')) },
    { key: userId, value: JSON.stringify(purchase(`plain-${userId}`, '10.00')) },
    // A CloudEvent in binary mode; what it says of the tenant is not listened to.
    {
      key: userId,
      headers: {
        ce_specversion: '1.0',
        ce_id: `binary-${userId}`,
        ce_source: '/till/7',
        ce_type: 'purchase',
        ce_subject: userId,
        ce_time: new Date().toISOString(),
        ce_tenantid: 'somebody-else',
        'content-type': 'application/json'
      },
      value: JSON.stringify({ amount: '20.00', currency: 'USD' })
    },
    // The same in structured mode.
    {
      key: userId,
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      value: JSON.stringify({
        specversion: '1.0',
        id: `structured-${userId}`,
        source: '/till/7',
        type: 'Purchase',
        subject: userId,
        tenantid: 'somebody-else',
        data: { amount: 5, currency: 'USD' }
      })
    },
    // Without an id: one is made of where the record stands.
    { value: JSON.stringify({ user_id: userId, event_type: 'login' }) },
    // Not valid: no JSON, no object, no user, a wrong amount, nothing.
    { value: '{"event_id": "no-json' },
    { value: '[]' },
    { value: JSON.stringify({ event_id: `nobody-${userId}`, event_type: 'login' }) },
    { value: JSON.stringify(purchase(`wrong-${userId}`, 'twelve')) },
    { value: null }
  ]
})
await producer.disconnect()
console.log(`sent ${sent.length} batches to ${topic}`)
