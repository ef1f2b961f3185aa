/* DPDK functions that live in headers as inline code, made callable, one call a burst where the
 * packet path needs them; and the few structures whose layout DPDK changes between releases. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

/* What weir_eth_configure() needs of struct rte_eth_conf. */
struct weir_eth_conf {
    uint64_t rx_offloads;
    uint64_t tx_offloads;
    uint64_t rss_hf; /* 0: no receive-side scaling. */
    uint32_t mtu;
    uint8_t link_state_interrupt;
};

struct weir_eth_link {
    uint32_t speed_mbps; /* UINT32_MAX: unknown. */
    uint8_t full_duplex;
    uint8_t autoneg;
    uint8_t up;
};

/* Gets "len" bytes of log text, at DPDK log level "level" (RTE_LOG_*). */
typedef void (*weir_log_fn)(uint32_t level, const char *text, size_t len);

int weir_errno(void);
uint32_t weir_lcore_id(void);
int weir_log_to(weir_log_fn callback);

uint16_t weir_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t weir_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t weir_eth_tx_prepare(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);

struct rte_mbuf *weir_pktmbuf_alloc(struct rte_mempool *pool);
int weir_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **pkts, uint32_t n);
void weir_pktmbuf_free(struct rte_mbuf *pkt);
int weir_pktmbuf_linearize(struct rte_mbuf *pkt);
uint16_t weir_pktmbuf_data_room_size(struct rte_mempool *pool);
int weir_pktmbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail);

int weir_eth_configure(uint16_t port, uint16_t n_rxq, uint16_t n_txq,
                       const struct weir_eth_conf *conf);
int weir_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t n_desc, int32_t socket,
                            uint64_t offloads, struct rte_mempool *pool);
int weir_eth_tx_queue_setup(uint16_t port, uint16_t queue, uint16_t n_desc, int32_t socket,
                            uint64_t offloads);
int weir_eth_link_get(uint16_t port, struct weir_eth_link *link);
int weir_eth_flow_ctrl_set(uint16_t port, uint8_t rx, uint8_t tx, uint8_t autoneg);
