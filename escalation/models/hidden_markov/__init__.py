"""hidden_markov"""
