/* See shim.h. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#include "shim.h"

int
weir_errno(void)
{
    return rte_errno;
}

uint32_t
weir_lcore_id(void)
{
    return rte_lcore_id();
}

static weir_log_fn log_callback;

static ssize_t
log_write(void *cookie, const char *text, size_t len)
{
    (void) cookie;
    int level = rte_log_cur_msg_loglevel();
    /* Outside of a message DPDK answers -1. */
    log_callback(level < 0 ? RTE_LOG_INFO : (uint32_t) level, text, len);
    return (ssize_t) len;
}

int
weir_log_to(weir_log_fn callback)
{
    static const cookie_io_functions_t functions = { .write = log_write };

    log_callback = callback;
    FILE *stream = fopencookie(NULL, "w+", functions);
    if (!stream) {
        return -1;
    }
    /* A line is one message; without buffering each message arrives whole and at once. */
    setvbuf(stream, NULL, _IONBF, 0);
    return rte_openlog_stream(stream);
}

uint16_t
weir_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
    return rte_eth_rx_burst(port, queue, pkts, n);
}

uint16_t
weir_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
    return rte_eth_tx_burst(port, queue, pkts, n);
}

uint16_t
weir_eth_tx_prepare(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
    return rte_eth_tx_prepare(port, queue, pkts, n);
}

struct rte_mbuf *
weir_pktmbuf_alloc(struct rte_mempool *pool)
{
    return rte_pktmbuf_alloc(pool);
}

int
weir_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **pkts, uint32_t n)
{
    return rte_pktmbuf_alloc_bulk(pool, pkts, n);
}

void
weir_pktmbuf_free(struct rte_mbuf *pkt)
{
    rte_pktmbuf_free(pkt);
}

int
weir_pktmbuf_linearize(struct rte_mbuf *pkt)
{
    return rte_pktmbuf_linearize(pkt);
}

uint16_t
weir_pktmbuf_data_room_size(struct rte_mempool *pool)
{
    return rte_pktmbuf_data_room_size(pool);
}

int
weir_pktmbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail)
{
    return rte_pktmbuf_chain(head, tail);
}

int
weir_eth_configure(uint16_t port, uint16_t n_rxq, uint16_t n_txq, const struct weir_eth_conf *conf)
{
    struct rte_eth_conf eth;

    memset(&eth, 0, sizeof eth);
    eth.rxmode.mtu = conf->mtu;
    eth.rxmode.offloads = conf->rx_offloads;
    eth.txmode.offloads = conf->tx_offloads;
    eth.intr_conf.lsc = conf->link_state_interrupt;
    if (conf->rss_hf) {
        eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        eth.rx_adv_conf.rss_conf.rss_hf = conf->rss_hf;
    } else {
        eth.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
    }
    return rte_eth_dev_configure(port, n_rxq, n_txq, &eth);
}

int
weir_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t n_desc, int32_t socket,
                        uint64_t offloads, struct rte_mempool *pool)
{
    struct rte_eth_dev_info info;
    int error = rte_eth_dev_info_get(port, &info);

    if (error) {
        return error;
    }
    struct rte_eth_rxconf conf = info.default_rxconf;
    conf.offloads = offloads;
    return rte_eth_rx_queue_setup(port, queue, n_desc, (unsigned int) socket, &conf, pool);
}

int
weir_eth_tx_queue_setup(uint16_t port, uint16_t queue, uint16_t n_desc, int32_t socket,
                        uint64_t offloads)
{
    struct rte_eth_dev_info info;
    int error = rte_eth_dev_info_get(port, &info);

    if (error) {
        return error;
    }
    struct rte_eth_txconf conf = info.default_txconf;
    conf.offloads = offloads;
    return rte_eth_tx_queue_setup(port, queue, n_desc, (unsigned int) socket, &conf);
}

int
weir_eth_link_get(uint16_t port, struct weir_eth_link *out)
{
    struct rte_eth_link link;

    memset(&link, 0, sizeof link);
    int error = rte_eth_link_get_nowait(port, &link);
    out->speed_mbps = link.link_speed;
    out->full_duplex = link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
    out->autoneg = link.link_autoneg == RTE_ETH_LINK_AUTONEG;
    out->up = link.link_status == RTE_ETH_LINK_UP;
    return error;
}

int
weir_eth_flow_ctrl_set(uint16_t port, uint8_t rx, uint8_t tx, uint8_t autoneg)
{
    struct rte_eth_fc_conf conf;

    memset(&conf, 0, sizeof conf);
    int error = rte_eth_dev_flow_ctrl_get(port, &conf);
    if (error) {
        return error;
    }
    conf.mode = rx ? (tx ? RTE_ETH_FC_FULL : RTE_ETH_FC_RX_PAUSE)
                   : (tx ? RTE_ETH_FC_TX_PAUSE : RTE_ETH_FC_NONE);
    conf.autoneg = autoneg;
    return rte_eth_dev_flow_ctrl_set(port, &conf);
}
