// Segment's own library against a running mesh: node segment.mjs URL KEY USER (calls | many | retried)
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, userId, what] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, flushAt: what === 'many' ? 100 : 15, flushInterval: 200 })
let failed = 0
let delivered = 0
analytics.on('error', (error) => {
  failed++
  console.error(error.code, error.reason ?? error.message ?? error)
})
analytics.on('http_response', (response) => {
  if (response.status !== 200) console.log('answer', response.status)
})

const calls = {
  calls() {
    analytics.identify({ userId, anonymousId: `anonymous-${userId}`, traits: { plan: 'gold', logins: 7 } })
    analytics.track({
      userId,
      event: 'Order Completed',
      properties: {
        order_id: `order-${userId}`,
        revenue: 35.14,
        currency: 'USD',
        products: [{ product_id: 'sku-1', price: 17.57, quantity: 2 }]
      },
      context: { ip: '192.0.2.7', userAgent: 'Mozilla/5.0', page: { url: 'https://shop.example/done' } }
    })
    analytics.track({ userId, event: 'Product Viewed', properties: { product_id: 'sku-1' } })
    analytics.track({ userId, event: 'Song Played', properties: { title: 'Águas de março' } })
    analytics.page({ userId, name: 'Home', properties: { url: 'https://shop.example/' } })
    analytics.screen({ userId, name: 'Cart' })
    analytics.group({ userId, groupId: 'acme', traits: { employees: 120 } })
    analytics.alias({ userId, previousId: `anonymous-${userId}` })
    // Valid for the library, not for the contract: kept among the rejected, and no trouble to its neighbours.
    analytics.track({ userId, event: 'Purchase', messageId: `bad-${userId}`, properties: { amount: 'twelve' } })
  },
  many() {
    for (let i = 0; i < 1000; i++) analytics.track({ userId, event: 'Song Played', properties: { i } })
  },
  retried() {
    for (let i = 0; i < 50; i++) analytics.track({ userId, event: 'Song Played', properties: { i } })
  }
}

analytics.on('track', () => delivered++)
calls[what]()
await analytics.closeAndFlush({ timeout: 60_000 })
console.log(`tracked ${delivered}, failed ${failed}`)
process.exit(failed === 0 ? 0 : 1)
